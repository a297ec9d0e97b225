using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>How a GPU is used.</summary>
public sealed record CudaBackendOptions
{
    /// <summary>Which libraries, and which GPU.</summary>
    public CudaOptions Device { get; init; } = new();

    /// <summary>Type of weights, cache and activations outside of the residual stream: BF16 or F16; F32 is for tests, and slow. Null for
    /// <see cref="PreferredStorage"/> where the GPU has it, else F16.</summary>
    public DType? Storage { get; init; }

    /// <summary>BF16 or F16: what the weights are best kept in.</summary>
    public DType PreferredStorage { get; init; } = DType.BF16;

    /// <summary>The table of token embeddings stays in page-locked host memory, where the kernel reads the rows that it wants.</summary>
    public bool EmbeddingsOnHost { get; init; }

    /// <summary>Where compiled kernels are kept.</summary>
    public CubinCacheOptions Cache { get; init; } = new();

    /// <summary>Told of each kernel that is compiled or found.</summary>
    public IProgress<CompileProgress>? CompileProgress { get; init; }

    /// <summary>Told how many bytes of weights are on their way since the backend was made, after each piece.</summary>
    public IProgress<long>? UploadProgress { get; init; }
}

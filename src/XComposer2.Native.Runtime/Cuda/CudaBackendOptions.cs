using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>How a GPU is used.</summary>
public sealed record CudaBackendOptions
{
    /// <summary>Which libraries, and which GPU.</summary>
    public CudaOptions Device { get; init; } = new();

    /// <summary>Type of weights, cache and activations outside of the residual stream: BF16 or F16; F32 is for tests, and slow.</summary>
    public DType Storage { get; init; } = DType.BF16;

    /// <summary>Where compiled kernels are kept.</summary>
    public CubinCacheOptions Cache { get; init; } = new();

    /// <summary>Told of each kernel that is compiled or found.</summary>
    public IProgress<CompileProgress>? CompileProgress { get; init; }
}

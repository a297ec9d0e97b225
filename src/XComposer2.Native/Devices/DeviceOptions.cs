using XComposer2.Native.Graph;

namespace XComposer2.Native.Devices;

/// <summary>The device that runs the model, and its settings.</summary>
public sealed record DeviceOptions
{
    /// <summary>The kind of device.</summary>
    public DeviceKind Kind { get; init; } = DeviceKind.Auto;

    /// <summary>Number of CPU threads; null for one per processor.</summary>
    public int? Threads { get; init; }

    /// <summary>Format of the key/value cache. Null for the device's default: F32 on the CPU, the storage type on a GPU, which supports int8 beside it.</summary>
    public CacheFormat? Cache { get; init; }

    /// <summary>CPU only: what weights of integers are multiplied with. Weights of floating types are multiplied with floats always.</summary>
    public ActivationPrecision Activations { get; init; }

    /// <summary>GPU only: prompts and pictures are multiplied with sums of 32 products in F16, which are added in F32. Faster on consumer cards (compute capability 8.6,
    /// 8.9, 12.0), with <see cref="Storage"/> F16, and less exact by about the rounding of an F16 activation; refused elsewhere. A sum of 65520 or more ends the answer with an error.</summary>
    public bool HalfSums { get; init; }

    /// <summary>GPU only: where the token embeddings are stored.</summary>
    public EmbeddingPlace Embeddings { get; init; }

    /// <summary>GPU only: a folder of kernels compiled by <c>xc2 kernels compile --out</c>, so that NVRTC is not required. Null for the folder
    /// named by the environment variable XC2_KERNELS.</summary>
    public string? KernelFolder { get; init; }

    /// <summary>GPU only: the type of weights, cache and most activations, BF16 or F16 (F32 is slow and meant for tests). Null for the
    /// checkpoint's own type if it has 16 bits and the GPU supports it, else F16.</summary>
    public DType? Storage { get; init; }
}

/// <summary>A kind of device.</summary>
public enum DeviceKind
{
    /// <summary>The fastest device that works on this machine.</summary>
    Auto,

    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU.</summary>
    Cuda,
}

/// <summary>Activations that a CPU multiplies weights of integers with.</summary>
public enum ActivationPrecision
{
    /// <summary>Rounded to 8 bits with a scale for every 32 inputs: integer products, several times faster and less exact by some thousandths of a linear's result.
    /// Where the processor lacks fast integer products, as <see cref="Float"/>.</summary>
    Int8,

    /// <summary>Not rounded.</summary>
    Float,
}

/// <summary>Where the table of token embeddings is stored for a GPU. A step reads only the rows of its own tokens.</summary>
public enum EmbeddingPlace
{
    /// <summary>In GPU memory.</summary>
    Device,

    /// <summary>In page-locked host memory: saves 758 MB of GPU memory for a 7B model with 16-bit weights and costs some microseconds per token.</summary>
    Host,
}

/// <summary>Progress of one phase of loading.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="Done">Kernels or bytes of weights done.</param>
/// <param name="Total">Kernels or bytes of weights in all.</param>
public readonly record struct LoadProgress(LoadPhase Phase, long Done, long Total);

/// <summary>A phase of loading that takes long.</summary>
public enum LoadPhase
{
    /// <summary>GPU kernels are compiled, which happens once per machine.</summary>
    CompilingKernels,

    /// <summary>Weights are copied to the GPU.</summary>
    UploadingWeights,
}

using XComposer2.Native.Graph;

namespace XComposer2.Native;

/// <summary>Where to run, and how.</summary>
public sealed record DeviceOptions
{
    /// <summary>Which kind of device.</summary>
    public DeviceKind Kind { get; init; } = DeviceKind.Auto;

    /// <summary>CPU threads; null for one per processor.</summary>
    public int? Threads { get; init; }

    /// <summary>On a GPU: where the token embeddings are.</summary>
    public EmbeddingPlace Embeddings { get; init; }

    /// <summary>On a GPU: a folder that <c>xc2 kernels compile --out</c> filled, so that no NVRTC is needed; null for the one that XC2_KERNELS names.</summary>
    public string? KernelFolder { get; init; }

    /// <summary>On a GPU: the type of weights, cache and most activations, BF16 or F16 (F32 is for tests, and slow); null for the checkpoint's own
    /// where it is 16-bit and the GPU has it, else F16.</summary>
    public DType? Storage { get; init; }
}

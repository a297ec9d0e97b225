using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>How to load a model.</summary>
public sealed record EngineOptions
{
    /// <summary>A published checkpoint folder: config.json, weights, tokenizer.model.</summary>
    public required string ModelPath { get; init; }

    /// <summary>Folders of LoRA adapters (PEFT) that are merged into the weights while they load, in this order. A merged weight takes memory of its own.</summary>
    public IReadOnlyList<string> Adapters { get; init; } = [];

    /// <summary>Where to run.</summary>
    public DeviceOptions Device { get; init; } = new();

    /// <summary>What is done to the decoder's linears while they are loaded: half their memory, and less time for a token, for a little accuracy.</summary>
    public WeightQuantization Quantization { get; init; }

    /// <summary>How much is held at once: context, answers together, cache.</summary>
    public EngineLimits Limits { get; init; } = new();

    /// <summary>Told how far loading is, where it takes long: while a GPU gets ready. From any thread.</summary>
    public IProgress<LoadProgress>? Progress { get; init; }

    /// <summary>Told, in a sentence, what is worth knowing and stops nothing: that compiled kernels cannot be kept, or one was damaged. From any thread.</summary>
    public Action<string>? Notice { get; init; }
}

/// <summary>Where to run, and how.</summary>
public sealed record DeviceOptions
{
    /// <summary>Which kind of device.</summary>
    public DeviceKind Kind { get; init; } = DeviceKind.Auto;

    /// <summary>CPU threads; null for one per processor.</summary>
    public int? Threads { get; init; }

    /// <summary>How keys and values are cached; null for the device's own: F32 on the processor, the storage type on a GPU, which has no kernels for others.</summary>
    public CacheFormat? Cache { get; init; }

    /// <summary>On a GPU: where the token embeddings are.</summary>
    public EmbeddingPlace Embeddings { get; init; }

    /// <summary>On a GPU: a folder that <c>xc2 kernels compile --out</c> filled, so that no NVRTC is needed; null for the one that XC2_KERNELS names.</summary>
    public string? KernelFolder { get; init; }

    /// <summary>On a GPU: the type of weights, cache and most activations, BF16 or F16 (F32 is for tests, and slow); null for the checkpoint's own
    /// where it is 16-bit and the GPU has it, else F16.</summary>
    public DType? Storage { get; init; }
}

/// <summary>A kind of device.</summary>
public enum DeviceKind
{
    /// <summary>The fastest that works on this machine.</summary>
    Auto,

    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU.</summary>
    Cuda,
}

/// <summary>Where a GPU finds the table of token embeddings, of which a step reads only its own tokens' rows.</summary>
public enum EmbeddingPlace
{
    /// <summary>In its own memory.</summary>
    Device,

    /// <summary>In page-locked memory of the host: 758 MB of a 7B's 16-bit weights less on the GPU, for some microseconds a token.</summary>
    Host,
}

/// <summary>How far a part of loading is.</summary>
/// <param name="Phase">Which part.</param>
/// <param name="Done">Kernels, or bytes of weights.</param>
/// <param name="Total">Of how many.</param>
public readonly record struct LoadProgress(LoadPhase Phase, long Done, long Total);

/// <summary>What a model that is being loaded waits for.</summary>
public enum LoadPhase
{
    /// <summary>Kernels of a GPU, the first time that they are needed.</summary>
    CompilingKernels,

    /// <summary>Weights on their way to a GPU.</summary>
    UploadingWeights,
}

/// <summary>A request that can't be carried out, with a message for the person who made it. Bad files have exceptions of their own.</summary>
public class EngineException : XComposerException
{
    /// <inheritdoc/>
    public EngineException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public EngineException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Refuses an option that is out of its range, in the words of its name.</summary>
    internal static void ThrowUnless<T>(bool holds, string option, string expected, T found)
    {
        if (!holds)
            throw new EngineException(FormattableString.Invariant($"{option}: expected {expected}, found {found}"));
    }
}

/// <summary>A prompt leaves no room in the context for an answer.</summary>
public sealed class ContextFullException : EngineException
{
    /// <param name="promptTokens">Tokens of the whole prompt.</param>
    /// <param name="contextLength">Longest sequence in tokens.</param>
    public ContextFullException(int promptTokens, int contextLength)
        : base($"the prompt has {promptTokens} tokens, the context is {contextLength} tokens and must hold at least one of the answer")
    {
        PromptTokens = promptTokens;
        ContextLength = contextLength;
    }

    /// <summary>Tokens of the whole prompt.</summary>
    public int PromptTokens { get; }

    /// <summary>Longest sequence in tokens.</summary>
    public int ContextLength { get; }
}

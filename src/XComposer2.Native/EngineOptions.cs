using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>The model to load, and its settings.</summary>
public sealed record EngineOptions
{
    /// <summary>Folder of a published checkpoint: config.json, weights, tokenizer.model.</summary>
    public required string ModelPath { get; init; }

    /// <summary>Folders of LoRA adapters (PEFT), merged into the weights during loading, in this order. Merged weights are copied, not memory-mapped.</summary>
    public IReadOnlyList<string> Adapters { get; init; } = [];

    /// <summary>Whether weight files are mapped, or read into memory, so that later changes of the files have no effect.</summary>
    public WeightLoading Loading { get; init; }

    /// <summary>The device; by default a GPU if one works, else the CPU.</summary>
    public DeviceOptions Device { get; init; } = new();

    /// <summary>Quantisation of weights during loading. Int8 takes half of the decoder's memory and of the time per token, int4 a quarter, at a loss of accuracy.</summary>
    public WeightQuantization Quantization { get; init; }

    /// <summary>Limits of context length, simultaneous answers and cache memory.</summary>
    public EngineLimits Limits { get; init; } = new();

    /// <summary>On a GPU without enough free memory: load the model in the smallest change of these options that fits (embeddings in host memory, weights, cache and context smaller), which
    /// <see cref="Notice"/> names. Quantised linears, a chosen cache and a chosen context stay as they are.</summary>
    public bool Fit { get; init; }

    /// <summary>Receives progress while a GPU is prepared. Called from any thread.</summary>
    public IProgress<LoadProgress>? Progress { get; init; }

    /// <summary>Receives warnings, one sentence each, for example that compiled kernels cannot be cached, or that the
    /// program uses narrower vectors than the processor has. Called from any thread.</summary>
    public Action<string>? Notice { get; init; }
}

/// <summary>An invalid request or option. The message is meant for the user. Damaged files have exceptions of their own.</summary>
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

    /// <summary>Throws for an option out of range, naming option, expected range and value.</summary>
    /// <exception cref="EngineException"><paramref name="holds"/> is false.</exception>
    internal static void ThrowUnless<T>(bool holds, string option, string expected, T found)
    {
        if (!holds)
            throw new EngineException(FormattableString.Invariant($"{option}: expected {expected}, found {found}"));
    }
}

/// <summary>The prompt exceeds the limit for prompts, or leaves no room in the context for an answer.</summary>
public sealed class ContextFullException : EngineException
{
    /// <param name="promptTokens">Length of the whole prompt in tokens.</param>
    /// <param name="contextLength">Maximum length of a sequence in tokens.</param>
    /// <param name="promptLength">Maximum length of a prompt in tokens; null if only the context limits it.</param>
    public ContextFullException(int promptTokens, int contextLength, int? promptLength = null)
        : base(promptLength is { } limit && promptTokens < contextLength
            ? $"the prompt has {promptTokens} tokens, the limit is {limit} tokens, the checkpoint's max_length; an explicit context allows longer prompts"
            : $"the prompt has {promptTokens} tokens, the context is {contextLength} tokens and must hold at least one of the answer")
    {
        PromptTokens = promptTokens;
        ContextLength = contextLength;
    }

    /// <summary>Length of the whole prompt in tokens.</summary>
    public int PromptTokens { get; }

    /// <summary>Maximum length of a sequence in tokens.</summary>
    public int ContextLength { get; }
}

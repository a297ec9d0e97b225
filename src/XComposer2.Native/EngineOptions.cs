using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>How to load a model.</summary>
public sealed record EngineOptions
{
    /// <summary>A published checkpoint folder: config.json, weights, tokenizer.model.</summary>
    public required string ModelPath { get; init; }

    /// <summary>Where to run.</summary>
    public DeviceOptions Device { get; init; } = new();

    /// <summary>What is done to the decoder's linears while they are loaded: half their memory, and less time for a token, for a little accuracy.</summary>
    public WeightQuantization Quantization { get; init; }

    /// <summary>Longest sequence in tokens, prompt and answer together; null for the checkpoint's own (max_length).</summary>
    public int? ContextLength { get; init; }

    /// <summary>Told how far loading is, where it takes long: while a GPU gets ready. From any thread.</summary>
    public IProgress<LoadProgress>? Progress { get; init; }

    /// <summary>Told, in a sentence, what is worth knowing and stops nothing: that compiled kernels cannot be kept, or one was damaged. From any thread.</summary>
    public Action<string>? Notice { get; init; }
}

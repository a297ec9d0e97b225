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
}

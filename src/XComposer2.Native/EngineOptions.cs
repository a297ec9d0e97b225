namespace XComposer2.Native;

/// <summary>How to load a model.</summary>
public sealed record EngineOptions
{
    /// <summary>A published checkpoint folder: config.json, weights, tokenizer.model.</summary>
    public required string ModelPath { get; init; }

    /// <summary>Where to run.</summary>
    public DeviceOptions Device { get; init; } = new();

    /// <summary>Longest sequence in tokens, prompt and answer together; null for the checkpoint's own (max_length).</summary>
    public int? ContextLength { get; init; }
}

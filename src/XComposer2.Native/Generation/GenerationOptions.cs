namespace XComposer2.Native;

/// <summary>How to generate one answer. The defaults are those of the original chat() call.</summary>
public sealed record GenerationOptions
{
    /// <summary>Takes the most likely token every time; temperature, top-k and top-p are ignored.</summary>
    public bool Greedy { get; init; }

    /// <summary>Over 0.</summary>
    public float Temperature { get; init; } = 1.0f;

    /// <summary>Keeps the k most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; } = 50;

    /// <summary>Keeps the smallest set of tokens whose probabilities reach this sum; over 0, at most 1.</summary>
    public float TopP { get; init; } = 0.8f;

    /// <summary>Over 0; 1 is none. Applies to generated tokens only.</summary>
    public float RepetitionPenalty { get; init; } = 1.005f;

    /// <summary>The same seed gives the same text on the same device; null draws one.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Longest answer in tokens.</summary>
    public int MaxTokens { get; init; } = 1024;

    /// <summary>The answer ends before the first of these texts.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];
}

using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Sizes and constants of the language model.</summary>
public sealed record DecoderConfig
{
    public required int VocabularySize { get; init; }

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int LayerCount { get; init; }

    public required AttentionGeometry Attention { get; init; }

    public required DecoderPlora Plora { get; init; }

    /// <summary>Of RMSNorm.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    public float RopeTheta { get; init; } = 1_000_000f;

    /// <summary>Positions that the rotary base was trained for; the original changes the base only beyond them.</summary>
    public int MaximumPositions { get; init; } = 32768;
}

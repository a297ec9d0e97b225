using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Measurement;

/// <summary>What to measure the speed of: a preset with random weights, or a checkpoint.</summary>
public sealed record SpeedOptions
{
    /// <summary>A published model's name (see <see cref="Model.ModelPresets.Names"/>); null where <see cref="ModelPath"/> is given.</summary>
    public string? Preset { get; init; }

    /// <summary>A checkpoint folder; null where <see cref="Preset"/> is given.</summary>
    public string? ModelPath { get; init; }

    /// <summary>Decoder layers of the preset; null for all.</summary>
    public int? Layers { get; init; }

    /// <summary>Type of the preset's weights.</summary>
    public DType Weights { get; init; } = DType.BF16;

    /// <summary>What is quantised while loading, of a preset or a checkpoint.</summary>
    public WeightQuantization Quantization { get; init; }

    /// <summary>Text tokens of the prompt.</summary>
    public int TextTokens { get; init; } = 512;

    /// <summary>Pictures before the text.</summary>
    public int Images { get; init; }

    /// <summary>An encoded picture that every sample decodes and resizes, once for each of <see cref="Images"/>; null for pixels that are ready.</summary>
    public ReadOnlyMemory<byte>? Picture { get; init; }

    /// <summary>Answers that are generated together.</summary>
    public int Sequences { get; init; } = 1;

    /// <summary>Beams of each answer, 1 to 8.</summary>
    public int Beams { get; init; } = 1;

    /// <summary>Decode steps of one sample, each with a row for every answer.</summary>
    public int DecodeSteps { get; init; } = 64;

    /// <summary>Samples after the one that warms up.</summary>
    public int Samples { get; init; } = 5;

    /// <summary>Where to run.</summary>
    public DeviceOptions Device { get; init; } = new();
}

/// <summary>A finished measurement.</summary>
/// <param name="Model">What was measured, in words.</param>
/// <param name="Device">What it ran on.</param>
/// <param name="WeightBytes">Bytes of all weights.</param>
/// <param name="DecodeWeightBytes">Bytes of weights that a decode step reads: layers without Partial LoRA, norm and head.</param>
/// <param name="Series">Picture where one is decoded, vision where there are pictures, prefill, the first token (the sum of these) where a picture is decoded,
/// decode where there are steps; of <see cref="SpeedMeasurement.RunLoadsAsync"/>, load alone.</param>
public sealed record SpeedResult(string Model, string Device, long WeightBytes, long DecodeWeightBytes, IReadOnlyList<SpeedSeries> Series);

/// <summary>Times of one kind of work.</summary>
/// <param name="Name">"picture", "vision", "prefill", "first token", "decode" or "load".</param>
/// <param name="Tokens">Positions that one sample computes; 0 where it computes none.</param>
/// <param name="Samples">One time per sample, in order.</param>
public sealed record SpeedSeries(string Name, int Tokens, IReadOnlyList<TimeSpan> Samples)
{
    /// <summary>Of the samples; of an even number the lower of the middle two.</summary>
    public TimeSpan Median => Samples.Order().ElementAt((Samples.Count - 1) / 2);

    /// <summary>At the median.</summary>
    public double TokensPerSecond => Tokens / Median.TotalSeconds;
}

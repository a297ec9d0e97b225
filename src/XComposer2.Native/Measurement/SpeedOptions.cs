using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native;

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

    /// <summary>What is done to the decoder's linears, of a preset or a checkpoint.</summary>
    public WeightQuantization Quantization { get; init; }

    /// <summary>Text tokens of the prompt.</summary>
    public int TextTokens { get; init; } = 512;

    /// <summary>Pictures before the text.</summary>
    public int Images { get; init; }

    /// <summary>Decode steps of one sample.</summary>
    public int DecodeSteps { get; init; } = 64;

    /// <summary>Samples after the one that warms up.</summary>
    public int Samples { get; init; } = 5;

    /// <summary>Where to run.</summary>
    public DeviceOptions Device { get; init; } = new();
}

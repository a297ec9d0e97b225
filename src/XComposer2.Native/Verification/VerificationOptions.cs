using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>What to verify.</summary>
public sealed record VerificationOptions
{
    /// <summary>A published checkpoint folder.</summary>
    public required string ModelPath { get; init; }

    /// <summary>A golden.safetensors; null for the one in the checkpoint folder.</summary>
    public string? GoldenPath { get; init; }

    /// <summary>Where to run.</summary>
    public DeviceOptions Device { get; init; } = new();

    /// <summary>What is done to the decoder's linears; the golden values are of the stored weights.</summary>
    public WeightQuantization Quantization { get; init; }

    /// <summary>Largest relative L2 of a stage that passes; null for what the device's arithmetic and the quantisation allow.</summary>
    public double? Tolerance { get; init; }
}

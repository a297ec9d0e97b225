namespace XComposer2.Native;

/// <summary>What to verify.</summary>
public sealed record VerificationOptions
{
    /// <summary>Relative L2 that a stage may be off by at most. The golden files were made with fp32 arithmetic on the stored weights, and so
    /// do we compute: 16-bit weights widen exactly, therefore one tolerance serves every weight type. Two orders of summation of a few thousand
    /// fp32 products differ by about 1e-6; the stages of a model add up to some 1e-5 at worst.</summary>
    public const double DefaultTolerance = 1e-4;

    /// <summary>A published checkpoint folder.</summary>
    public required string ModelPath { get; init; }

    /// <summary>A golden.safetensors; null for the one in the checkpoint folder.</summary>
    public string? GoldenPath { get; init; }

    /// <summary>Where to run.</summary>
    public DeviceKind Device { get; init; } = DeviceKind.Auto;

    /// <summary>CPU threads; null for one per processor.</summary>
    public int? Threads { get; init; }

    /// <summary>Largest relative L2 of a stage that passes.</summary>
    public double Tolerance { get; init; } = DefaultTolerance;
}

using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelBench;

/// <summary>How cases are measured.</summary>
public sealed record KernelBenchPlan
{
    /// <summary>The type whose arithmetic is the limit.</summary>
    public required KernelStorage Storage { get; init; }

    public L2State L2 { get; init; } = L2State.Cold;

    /// <summary>Launches of a case that are timed.</summary>
    public int Repetitions { get; init; } = 30;

    /// <summary>Only to see that all runs, with the cases of <see cref="CaseSizes.Quick"/>.</summary>
    public bool IsQuick { get; init; }

    /// <summary>The work of the cases that are meant.</summary>
    public CaseSizes Counts => IsQuick ? CaseSizes.Quick : CaseSizes.Full;
}

using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A finished measurement.</summary>
/// <param name="Device">Its name and generation.</param>
/// <param name="Driver">CUDA version of the driver.</param>
/// <param name="Compiler">NVRTC's version.</param>
/// <param name="Plan">How it was measured.</param>
/// <param name="Ceilings">What the device can do at best.</param>
/// <param name="Timings">In the cases' order.</param>
public sealed record KernelBenchReport(
    string Device, string Driver, string Compiler, KernelBenchPlan Plan, DeviceCeilings Ceilings, IReadOnlyList<KernelTiming> Timings)
{
    /// <summary>What is farthest from its limit, worst first. Launches so short that they are mostly the cost of launching come only where there are no others.</summary>
    /// <param name="count">At most so many.</param>
    public IReadOnlyList<KernelTiming> Worst(int count)
    {
        const double ShortestMarks = 4;
        KernelTiming[] lasting = [.. Timings.Where(timing => timing.MedianMicroseconds >= ShortestMarks * Ceilings.MarkMicroseconds)];
        return [.. (lasting.Length > 0 ? lasting : Timings).OrderBy(Ceilings.FractionOf).Take(count)];
    }
}

/// <summary>How cases are measured.</summary>
public sealed record KernelBenchPlan
{
    /// <summary>The type whose arithmetic is the limit.</summary>
    public required DType Storage { get; init; }

    public L2State L2 { get; init; } = L2State.Cold;

    /// <summary>Launches of a case that are timed.</summary>
    public int Repetitions { get; init; } = 30;

    /// <summary>Only to see that all runs, with the cases of <see cref="CaseSizes.Quick"/>.</summary>
    public bool IsQuick { get; init; }

    /// <summary>The work of the cases that are meant.</summary>
    public CaseSizes Counts => IsQuick ? CaseSizes.Quick : CaseSizes.Full;
}

/// <summary>A case could not be measured. The message names it.</summary>
public sealed class KernelBenchException(string message, Exception? cause = null) : Exception(message, cause);

namespace XComposer2.Native.KernelBench;

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

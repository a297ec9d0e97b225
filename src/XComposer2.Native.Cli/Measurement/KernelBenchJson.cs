using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 bench kernels --json</c> writes.</summary>
/// <param name="Model">Whose sizes.</param>
/// <param name="Device">Name and generation.</param>
/// <param name="Driver">CUDA version of the driver.</param>
/// <param name="Nvrtc">Version of the compiler.</param>
/// <param name="Storage">Type of weights and activations.</param>
/// <param name="L2">What the L2 cache held before each launch: cold, written, warm.</param>
/// <param name="Repetitions">Launches of each case that were timed.</param>
/// <param name="Quick">The figures say nothing.</param>
/// <param name="ReadGbPerS">The limit of reading.</param>
/// <param name="MmaTflopPerS">The limit of arithmetic.</param>
/// <param name="MarkUs">Time between two marks with nothing between them.</param>
/// <param name="NodeUs">Time of a graph's node whose kernel does nothing.</param>
/// <param name="Kernels">In the order of the table.</param>
/// <param name="Worst">Names of the cases that are farthest from their limit, worst first.</param>
internal sealed record KernelBenchJson(
    string Model, string Device, string Driver, string Nvrtc, string Storage, string L2, int Repetitions, bool Quick,
    double ReadGbPerS, double MmaTflopPerS, double MarkUs, double NodeUs, IReadOnlyList<KernelTimeJson> Kernels, IReadOnlyList<KernelTimeJson> Worst)
{
    private const int WorstCount = 8;

    public static KernelBenchJson Of(string model, KernelBenchReport report)
    {
        KernelBenchPlan plan = report.Plan;
        return new KernelBenchJson(
            model, report.Device, report.Driver, report.Compiler, plan.Storage.CudaName(), plan.L2.ToString().ToLowerInvariant(), plan.Repetitions, plan.IsQuick,
            Math.Round(report.Ceilings.ReadBytesPerSecond / 1e9, 4), Math.Round(report.Ceilings.FlopsPerSecond / 1e12, 4), Math.Round(report.Ceilings.MarkMicroseconds, 4), Math.Round(report.Ceilings.NodeMicroseconds, 4),
            [.. report.Timings.Select(timing => KernelTimeJson.Of(timing, report.Ceilings))],
            [.. report.Worst(WorstCount).Select(timing => KernelTimeJson.Of(timing, report.Ceilings))]);
    }
}

/// <summary>Times of one case in <see cref="KernelBenchJson"/>, in microseconds.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Work">What it did.</param>
/// <param name="MedianUs">Half of the launches took at most so long.</param>
/// <param name="MinUs">The shortest.</param>
/// <param name="P90Us">Nine tenths took at most so long.</param>
/// <param name="Bytes">What a launch must move.</param>
/// <param name="Flops">What it must compute.</param>
/// <param name="GbPerS">Bytes over the median.</param>
/// <param name="TflopPerS">Operations over the median.</param>
/// <param name="Bound">bytes or mma: which takes longer on this device.</param>
/// <param name="LimitUs">How long that takes at best.</param>
/// <param name="OfLimit">The limit over the median.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Specialisation">How the kernel was compiled.</param>
internal sealed record KernelTimeJson(
    string Kernel, string Work, double MedianUs, double MinUs, double P90Us, long Bytes, long Flops, double GbPerS, double TflopPerS,
    string Bound, double LimitUs, double OfLimit, string Grid, string Specialisation)
{
    public static KernelTimeJson Of(KernelTiming timing, DeviceCeilings ceilings)
    {
        KernelCase item = timing.Case;
        return new KernelTimeJson(
            item.Kernel, item.Work, Round(timing.MedianMicroseconds), Round(timing.LeastMicroseconds), Round(timing.P90Microseconds), item.Cost.Bytes, item.Cost.Flops,
            Round(timing.GigabytesPerSecond), Round(timing.TeraflopsPerSecond), ceilings.IsBoundByBytes(item.Cost) ? "bytes" : "mma",
            Round(ceilings.LimitMicroseconds(item.Cost)), Round(ceilings.FractionOf(timing)), item.Geometry.Grid.ToString(),
            SelectedKernel.SpecialisationOf(item.Definition));
    }

    // Marks tell half a microsecond: more digits would be noise in committed results.
    private static double Round(double figure) => Math.Round(figure, 4);
}

/// <summary>What <c>xc2 bench kernels --list --json</c> writes.</summary>
/// <param name="Model">Whose sizes.</param>
/// <param name="Cases">In the order in which they would be measured.</param>
internal sealed record KernelCaseListJson(string Model, IReadOnlyList<KernelCaseJson> Cases)
{
    public static KernelCaseListJson Of(KernelBenchRequest request, IReadOnlyList<KernelCase> cases) => new(
        request.Model.Name, [.. cases.Select(item => new KernelCaseJson(item.Kernel, item.Work, item.Cost.Bytes, item.Cost.Flops, item.MemoryBytes))]);
}

/// <summary>One case of <see cref="KernelCaseListJson"/>.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Work">What it does.</param>
/// <param name="Bytes">What a launch must move.</param>
/// <param name="Flops">What it must compute.</param>
/// <param name="MemoryBytes">Device memory of its operands.</param>
internal sealed record KernelCaseJson(string Kernel, string Work, long Bytes, long Flops, long MemoryBytes);

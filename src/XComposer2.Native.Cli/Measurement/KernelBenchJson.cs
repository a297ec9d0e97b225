using XComposer2.Native.KernelBench;
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
/// <param name="Kernels">In the order of the table.</param>
/// <param name="Worst">Names of the cases that are farthest from their limit, worst first.</param>
internal sealed record KernelBenchJson(
    string Model, string Device, string Driver, string Nvrtc, string Storage, string L2, int Repetitions, bool Quick,
    double ReadGbPerS, double MmaTflopPerS, double MarkUs, IReadOnlyList<KernelTimeJson> Kernels, IReadOnlyList<KernelTimeJson> Worst)
{
    private const int WorstCount = 8;

    public static KernelBenchJson Of(string model, KernelBenchReport report)
    {
        KernelBenchPlan plan = report.Plan;
        return new KernelBenchJson(
            model, report.Device, report.Driver, report.Compiler, plan.Storage.CudaName(), plan.L2.ToString().ToLowerInvariant(), plan.Repetitions, plan.IsQuick,
            Math.Round(report.Ceilings.ReadBytesPerSecond / 1e9, 4), Math.Round(report.Ceilings.FlopsPerSecond / 1e12, 4), Math.Round(report.Ceilings.MarkMicroseconds, 4),
            [.. report.Timings.Select(timing => KernelTimeJson.Of(timing, report.Ceilings))],
            [.. report.Worst(WorstCount).Select(timing => KernelTimeJson.Of(timing, report.Ceilings))]);
    }
}

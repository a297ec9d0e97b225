using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class KernelTimingTests
{
    private static readonly IReadOnlyList<KernelCase> cases = CaseCatalog.For(
        ModelCatalog.KernelsOf(ModelPresets.Find(ModelPresets.VisionLanguage7B), DType.BF16, new ComputeCapability(8, 0)), new DeviceFacts(new ComputeCapability(8, 0), 108), CaseSizes.Full);

    private static readonly KernelCase decode = cases.First(item => item.Kernel == "linear_decode"), prefill = cases.Last(item => item.Kernel == "linear_prefill" && item.Work.EndsWith("2048 rows", StringComparison.Ordinal));

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(10, 5, 9)]
    [InlineData(30, 15, 27)]
    [InlineData(31, 16, 28)]
    public void Median_and_tail_are_of_the_nearest_rank(int count, double median, double p90)
    {
        KernelTiming timing = new(decode, Enumerable.Range(1, count).Select(value => (double)value).Reverse());
        Assert.Equal((median, 1, p90, count), (timing.MedianMicroseconds, timing.LeastMicroseconds, timing.P90Microseconds, timing.Samples));
    }

    [Fact]
    public void Without_a_time_there_is_no_timing() => Assert.Throws<ArgumentException>(() => new KernelTiming(decode, []));

    [Fact]
    public void A_launch_is_held_against_what_takes_longer()
    {
        DeviceCeilings ceilings = new(ReadBytesPerSecond: 2e12, FlopsPerSecond: 300e12, MarkMicroseconds: 1, NodeMicroseconds: 2);
        Assert.True(ceilings.IsBoundByBytes(decode.Cost));
        Assert.False(ceilings.IsBoundByBytes(prefill.Cost));
        Assert.Equal(decode.Cost.Bytes / 2e6, ceilings.LimitMicroseconds(decode.Cost), 1e-9);
        Assert.Equal(prefill.Cost.Flops / 300e6, ceilings.LimitMicroseconds(prefill.Cost), 1e-9);
        KernelTiming twice = new(decode, [2 * ceilings.LimitMicroseconds(decode.Cost)]);
        Assert.Equal(0.5, ceilings.FractionOf(twice), 1e-12);
        Assert.Equal(1000, twice.GigabytesPerSecond, 1e-9);
        Assert.Equal(decode.Cost.Flops / (double)decode.Cost.Bytes, twice.TeraflopsPerSecond, 1e-9);
    }

    [Fact]
    public void The_limits_are_the_best_of_two_measurements() =>
        Assert.Equal(new DeviceCeilings(3, 5, 0.5, 2), DeviceCeilings.Best(new DeviceCeilings(2, 5, 0.5, 3), new DeviceCeilings(3, 4, 1, 2)));

    [Fact]
    public void The_worst_come_first_and_launches_of_next_to_nothing_last()
    {
        DeviceCeilings ceilings = new(2e12, 300e12, MarkMicroseconds: 1, NodeMicroseconds: 2);
        KernelTiming Timing(KernelCase item, double fraction) => new(item, [ceilings.LimitMicroseconds(item.Cost) / fraction]);
        KernelTiming brief = new(cases.First(item => item.Kernel == "select_rows"), [2]), good = Timing(decode, 0.9), bad = Timing(prefill, 0.4);
        KernelBenchPlan plan = new() { Storage = DType.BF16 };
        KernelBenchReport report = new("card", "12.4", "12.4", plan, ceilings, [brief, good, bad]);
        Assert.Equal([bad, good], report.Worst(5));
        Assert.Equal([bad], report.Worst(1));
        Assert.Equal([brief], (report with { Timings = [brief] }).Worst(5));
    }
}

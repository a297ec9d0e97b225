using XComposer2.Native.KernelBench;

namespace XComposer2.Native.Cli;

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

namespace XComposer2.Native.Kernels;

/// <summary>Times of one case.</summary>
public sealed class KernelTiming
{
    private readonly double[] sorted;

    /// <param name="measured">What was measured.</param>
    /// <param name="microseconds">Of each launch; at least one.</param>
    public KernelTiming(KernelCase measured, IEnumerable<double> microseconds)
    {
        Case = measured;
        sorted = [.. microseconds.Order()];
        if (sorted.Length == 0) throw new ArgumentException("expected at least one time", nameof(microseconds));
    }

    public KernelCase Case { get; }

    public int Samples => sorted.Length;

    /// <summary>Half of the launches took at most so many microseconds.</summary>
    public double MedianMicroseconds => Percentile(50);

    public double LeastMicroseconds => sorted[0];

    /// <summary>Nine tenths of the launches took at most so many microseconds.</summary>
    public double P90Microseconds => Percentile(90);

    /// <summary>Of the median: declared bytes over time.</summary>
    public double GigabytesPerSecond => Case.Cost.Bytes / MedianMicroseconds / 1e3;

    /// <summary>Of the median: declared operations over time.</summary>
    public double TeraflopsPerSecond => Case.Cost.Flops / MedianMicroseconds / 1e6;

    /// <summary>Nearest rank.</summary>
    private double Percentile(int percent) => sorted[Math.Max(0, ((sorted.Length * percent) + 99) / 100 - 1)];
}

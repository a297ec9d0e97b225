namespace XComposer2.Native.Kernels;

/// <summary>What this device can do at best, measured on it.</summary>
/// <param name="ReadBytesPerSecond">Reading memory.</param>
/// <param name="FlopsPerSecond">Multiplying on tensor cores with mma.sync; of F32, by multiply-adds.</param>
/// <param name="MarkMicroseconds">Between two marks with nothing between them: part of every time.</param>
/// <param name="NodeMicroseconds">A node of a graph whose kernel does nothing: the least that a launch of a captured step takes.</param>
public readonly record struct DeviceCeilings(double ReadBytesPerSecond, double FlopsPerSecond, double MarkMicroseconds, double NodeMicroseconds)
{
    /// <summary>The better of two measurements, figure by figure.</summary>
    public static DeviceCeilings Best(DeviceCeilings one, DeviceCeilings other) => new(
        Math.Max(one.ReadBytesPerSecond, other.ReadBytesPerSecond), Math.Max(one.FlopsPerSecond, other.FlopsPerSecond),
        Math.Min(one.MarkMicroseconds, other.MarkMicroseconds), Math.Min(one.NodeMicroseconds, other.NodeMicroseconds));

    /// <summary>Whether moving the bytes takes longer than the arithmetic.</summary>
    public bool IsBoundByBytes(KernelCost cost) => cost.Bytes / ReadBytesPerSecond >= cost.Flops / FlopsPerSecond;

    /// <summary>The least time that so much work can take, in microseconds.</summary>
    public double LimitMicroseconds(KernelCost cost) => 1e6 * Math.Max(cost.Bytes / ReadBytesPerSecond, cost.Flops / FlopsPerSecond);

    /// <summary>The limit over the median: 1 is all that this device can do.</summary>
    public double FractionOf(KernelTiming timing)
    {
        ArgumentNullException.ThrowIfNull(timing);
        return LimitMicroseconds(timing.Case.Cost) / timing.MedianMicroseconds;
    }
}

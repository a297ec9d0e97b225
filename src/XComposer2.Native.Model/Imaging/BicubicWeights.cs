namespace XComposer2.Native.Model;

/// <summary>Which source samples make each target sample of one axis, and with which fixed-point weights.</summary>
internal sealed class BicubicWeights
{
    /// <summary>8-bit samples and two bits of headroom leave 22 of an int's 32 bits to the fraction.</summary>
    public const int FractionBits = 22;

    private const double CubicA = -0.5;
    private const double CubicRadius = 2;

    private readonly int[] _weights;
    private readonly int _maxTaps;

    private BicubicWeights(int[] starts, int[] counts, int[] weights, int maxTaps)
    {
        Starts = starts;
        Counts = counts;
        _weights = weights;
        _maxTaps = maxTaps;
    }

    /// <summary>First source sample of each target sample.</summary>
    public int[] Starts { get; }

    /// <summary>Number of source samples of each target sample.</summary>
    public int[] Counts { get; }

    /// <summary>Weights of target sample <paramref name="target"/>, in units of 2^-22.</summary>
    public ReadOnlySpan<int> Of(int target) => _weights.AsSpan(checked(target * _maxTaps), Counts[target]);

    public static BicubicWeights Create(int sourceSize, int targetSize)
    {
        double scale = (double)sourceSize / targetSize;
        double stretch = Math.Max(scale, 1);
        double radius = CubicRadius * stretch;
        int maxTaps = (int)Math.Ceiling(radius) * 2 + 1;
        int[] starts = new int[targetSize];
        int[] counts = new int[targetSize];
        int[] weights = new int[checked(targetSize * maxTaps)];
        double[] exact = new double[maxTaps];
        double inverseStretch = 1 / stretch;
        for (int target = 0; target < targetSize; target++)
        {
            double center = (target + 0.5) * scale;
            int start = Math.Max((int)(center - radius + 0.5), 0);
            int count = Math.Min((int)(center + radius + 0.5), sourceSize) - start;
            double sum = 0;
            for (int tap = 0; tap < count; tap++)
            {
                exact[tap] = Cubic((tap + start - center + 0.5) * inverseStretch);
                sum += exact[tap];
            }
            double normalise = sum == 0 ? 1 : 1 / sum;
            for (int tap = 0; tap < count; tap++) weights[target * maxTaps + tap] = ToFixedPoint(exact[tap] * normalise);
            starts[target] = start;
            counts[target] = count;
        }
        return new(starts, counts, weights, maxTaps);
    }

    private static double Cubic(double distance)
    {
        double x = Math.Abs(distance);
        if (x < 1) return ((CubicA + 2) * x - (CubicA + 3)) * x * x + 1;
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * CubicA : 0;
    }

    // Halves go away from zero on both sides.
    private static int ToFixedPoint(double weight) => (int)(weight * (1 << FractionBits) + (weight < 0 ? -0.5 : 0.5));
}

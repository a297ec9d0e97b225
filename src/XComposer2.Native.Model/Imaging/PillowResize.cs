namespace XComposer2.Native.Model;

/// <summary>
/// Bicubic resampling equal to Pillow's to the byte: Keys' cubic with a = -0.5, widened by the scale when shrinking, weights in fixed
/// point with 22 fraction bits, and rounding to 8 bits after the horizontal and again after the vertical pass.
/// The model was trained on pictures resized this way.
/// </summary>
public static class PillowResize
{
    /// <summary>Resizes to <paramref name="width"/> x <paramref name="height"/>; the aspect is the caller's business.</summary>
    /// <returns>A new picture, or <paramref name="image"/> itself where it has that size already.</returns>
    public static RgbImage Bicubic(RgbImage image, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        RgbImage current = image;
        // A pass that changes nothing is left out, as its rounding would be.
        if (current.Width != width)
        {
            byte[] narrowed = GC.AllocateUninitializedArray<byte>(checked(3 * width * current.Height));
            ResamplePasses.Horizontal(current, BicubicWeights.Create(current.Width, width), narrowed);
            current = new(width, current.Height, narrowed);
        }
        if (current.Height != height)
        {
            byte[] shortened = GC.AllocateUninitializedArray<byte>(checked(3 * width * height));
            ResamplePasses.Vertical(current, BicubicWeights.Create(current.Height, height), shortened);
            current = new(width, height, shortened);
        }
        return current;
    }
}

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

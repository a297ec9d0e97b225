namespace XComposer2.Native;

/// <summary>Compares two tensors of the same size in fp64.</summary>
internal static class TensorComparison
{
    public static TensorStage Compare(string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> found, double tolerance)
    {
        if (expected.Length != found.Length)
            throw new ArgumentException($"{name}: expected {expected.Length} values, found {found.Length}", nameof(found));
        (double error, double expectedNorm, double foundNorm, double product, double worst) = (0, 0, 0, 0, 0);
        bool finite = true;
        for (int i = 0; i < expected.Length; i++)
        {
            (double e, double f) = (expected[i], found[i]);
            finite &= double.IsFinite(f);
            double difference = f - e;
            error += difference * difference;
            expectedNorm += e * e;
            foundNorm += f * f;
            product += e * f;
            worst = Math.Max(worst, Math.Abs(difference));
        }

        double relative = Math.Sqrt(error / Math.Max(expectedNorm, double.Epsilon));
        double cosine = product / Math.Sqrt(Math.Max(expectedNorm * foundNorm, double.Epsilon));
        bool passed = finite && relative <= tolerance;
        double limit = tolerance * Math.Sqrt(expectedNorm / Math.Max(1, expected.Length));
        return new TensorStage(name, passed, expected.Length, worst, relative, cosine, tolerance, passed ? -1 : FirstBad(expected, found, limit));
    }

    private static long FirstBad(ReadOnlySpan<float> expected, ReadOnlySpan<float> found, double limit)
    {
        for (int i = 0; i < expected.Length; i++)
            if (!(Math.Abs((double)found[i] - expected[i]) <= limit))
                return i;
        return -1;
    }
}

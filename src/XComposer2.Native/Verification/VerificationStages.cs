namespace XComposer2.Native.Verification;

/// <summary>What one stage of a verification found: a <see cref="TensorStage"/> or an <see cref="IdStage"/>.</summary>
/// <param name="Name">For example "one_image: layer 3".</param>
/// <param name="Passed">Within tolerance.</param>
public abstract record StageResult(string Name, bool Passed);

/// <summary>A stage whose numbers were compared.</summary>
/// <param name="Name">Of the stage.</param>
/// <param name="Passed">All values are finite and <paramref name="RelativeL2"/> is at most <paramref name="Tolerance"/>.</param>
/// <param name="Elements">Values compared.</param>
/// <param name="MaximumError">Largest absolute difference.</param>
/// <param name="RelativeL2">|found - expected| / |expected|, Euclidean.</param>
/// <param name="Cosine">Of the angle between the two.</param>
/// <param name="Tolerance">Largest relative L2 that passes.</param>
/// <param name="FirstBad">Index of the first value that is not finite, or where the stage failed, of the first one off by more than the
/// tolerance times the root mean square of the expected values; negative where there is none.</param>
public sealed record TensorStage(
    string Name, bool Passed, long Elements, double MaximumError, double RelativeL2, double Cosine, double Tolerance, long FirstBad)
    : StageResult(Name, Passed);

/// <summary>A stage whose token ids were compared.</summary>
/// <param name="Name">Of the stage.</param>
/// <param name="Passed">All ids are equal, but for those whose golden logits are closer to each other than the tolerance can tell apart.</param>
/// <param name="Expected">Of the golden file.</param>
/// <param name="Found">Of this run, each the most likely one after the expected ids before it.</param>
public sealed record IdStage(string Name, bool Passed, IReadOnlyList<int> Expected, IReadOnlyList<int> Found) : StageResult(Name, Passed);

/// <summary>Collects the stages of one verification and passes them on.</summary>
internal sealed class StageLog(List<StageResult> stages, IProgress<StageResult>? progress, double tolerance)
{
    public void Compare(string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> found) =>
        Add(TensorComparison.Compare(name, expected, found, tolerance));

    /// <param name="name">Of the stage.</param>
    /// <param name="expected">Golden ids.</param>
    /// <param name="found">Ids of this run.</param>
    /// <param name="leads">By how much the golden logits prefer the expected id to the found one, relative to their root mean square.</param>
    public void Compare(string name, ReadOnlySpan<int> expected, ReadOnlySpan<int> found, ReadOnlySpan<double> leads)
    {
        // Two logits that are each off by the tolerance may change places where they are as close as that; the factor is for the tail of the errors.
        bool passed = true;
        for (int i = 0; i < expected.Length; i++)
            passed &= expected[i] == found[i] || leads[i] <= 4 * tolerance;
        Add(new IdStage(name, passed, expected.ToArray(), found.ToArray()));
    }

    private void Add(StageResult stage)
    {
        stages.Add(stage);
        progress?.Report(stage);
    }
}

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

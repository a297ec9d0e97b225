namespace XComposer2.Native.Evaluation.Comparison;

/// <summary>A difference of means, and where it lies with a probability of 95 %.</summary>
/// <param name="Difference">Mean of the second minus mean of the first.</param>
/// <param name="Lower">2.5 % of the resampled differences are below.</param>
/// <param name="Upper">2.5 % are above.</param>
internal readonly record struct BootstrapInterval(double Difference, double Lower, double Upper)
{
    /// <summary>Whether a difference of this size would be surprising between equal models.</summary>
    public bool ExcludesZero => Lower > 0 || Upper < 0;
}

/// <summary>Bootstrap over pairs: both scores of a sample are drawn together.</summary>
internal static class PairedBootstrap
{
    public const int Resamples = 10_000;

    /// <param name="first">Scores of the first.</param>
    /// <param name="second">Scores of the second, of the same samples in the same order; at least one.</param>
    /// <param name="seed">The same seed gives the same interval.</param>
    public static BootstrapInterval Compare(IReadOnlyList<double> first, IReadOnlyList<double> second, int seed)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentOutOfRangeException.ThrowIfZero(first.Count, nameof(first));
        ArgumentOutOfRangeException.ThrowIfNotEqual(second.Count, first.Count, nameof(second));
        double[] differences = [.. first.Zip(second, (a, b) => b - a)];
        Random random = new(seed);
        double[] means = new double[Resamples];
        for (int i = 0; i < Resamples; i++)
        {
            double sum = 0;
            for (int draw = 0; draw < differences.Length; draw++)
                sum += differences[random.Next(differences.Length)];
            means[i] = sum / differences.Length;
        }

        Array.Sort(means);
        return new BootstrapInterval(differences.Sum() / differences.Length, means[(int)(0.025 * Resamples)], means[(int)(0.975 * Resamples) - 1]);
    }
}

namespace XComposer2.Native;

/// <summary>Times of one kind of work.</summary>
/// <param name="Name">"vision", "prefill" or "decode".</param>
/// <param name="Tokens">Positions that one sample computes.</param>
/// <param name="Samples">One time per sample, in order.</param>
public sealed record SpeedSeries(string Name, int Tokens, IReadOnlyList<TimeSpan> Samples)
{
    /// <summary>Of the samples; of an even number the lower of the middle two.</summary>
    public TimeSpan Median => Samples.Order().ElementAt((Samples.Count - 1) / 2);

    /// <summary>At the median.</summary>
    public double TokensPerSecond => Tokens / Median.TotalSeconds;
}

namespace XComposer2.Native.Cli;

/// <summary>Times of one kind of work, in milliseconds.</summary>
internal sealed record SpeedSeriesJson(string Name, int Tokens, double MedianMs, double TokensPerSecond, IReadOnlyList<double> SamplesMs)
{
    public static SpeedSeriesJson Of(SpeedSeries series) => new(
        series.Name, series.Tokens, series.Median.TotalMilliseconds, series.TokensPerSecond, [.. series.Samples.Select(sample => sample.TotalMilliseconds)]);
}

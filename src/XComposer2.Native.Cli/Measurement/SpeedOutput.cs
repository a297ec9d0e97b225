using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace XComposer2.Native.Cli;

/// <summary>A measurement for people.</summary>
internal sealed class SpeedText(IAnsiConsole console)
{
    public void Write(SpeedResult speed)
    {
        Line(TerminalText.OneLine(speed.Model), "bold");
        Line($"  {speed.Device}; weights {InspectionText.Size(speed.WeightBytes)}, of which a decode step reads {InspectionText.Size(speed.DecodeWeightBytes)}");
        Line("");
        Line($"  {"",-12}{"tokens",8}{"median",12}{"fastest",12}{"slowest",12}{"tokens/s",12}", "bold");
        foreach (SpeedSeries series in speed.Series)
            Line(string.Create(
                CultureInfo.InvariantCulture,
                $"  {series.Name,-12}{(series.Tokens > 0 ? series.Tokens : ""),8}{Milliseconds(series.Median),12}{Milliseconds(series.Samples.Min()),12}{Milliseconds(series.Samples.Max()),12}{(series.Tokens > 0 ? series.TokensPerSecond.ToString("0.0", CultureInfo.InvariantCulture) : ""),12}"));
        if (speed.Series.FirstOrDefault(series => series.Name == "decode") is { } decode)
            Line(string.Create(CultureInfo.InvariantCulture, $"  decode reads {decode.TokensPerSecond * speed.DecodeWeightBytes / 1e9:0.0} GB/s of weights"));
        if (speed.Series.FirstOrDefault(series => series.Name == "load") is { } load)
            Line(string.Create(CultureInfo.InvariantCulture, $"  {speed.WeightBytes / load.Median.TotalSeconds / 1e9:0.0} GB/s of weights (mapped files are read on first use)"));
    }

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms");

    private void Line(string text, string style = "default") => console.WriteLine(text, Style.Parse(style));
}

/// <summary>What <c>xc2 bench --json</c> prints.</summary>
/// <param name="Model">What was measured.</param>
/// <param name="Device">What it ran on.</param>
/// <param name="WeightBytes">Of all weights.</param>
/// <param name="DecodeWeightBytes">Of the weights that a decode step reads.</param>
/// <param name="PeakHostBytes">Most memory that this process has had resident.</param>
/// <param name="Series">Times.</param>
internal sealed record SpeedJson(string Model, string Device, long WeightBytes, long DecodeWeightBytes, long PeakHostBytes, IReadOnlyList<SpeedSeriesJson> Series)
{
    public static SpeedJson Of(SpeedResult speed)
    {
        using Process process = Process.GetCurrentProcess();
        return new SpeedJson(speed.Model, speed.Device, speed.WeightBytes, speed.DecodeWeightBytes, process.PeakWorkingSet64, [.. speed.Series.Select(SpeedSeriesJson.Of)]);
    }
}

/// <summary>Times of one kind of work, in milliseconds.</summary>
internal sealed record SpeedSeriesJson(string Name, int Tokens, double MedianMs, double? TokensPerSecond, IReadOnlyList<double> SamplesMs)
{
    public static SpeedSeriesJson Of(SpeedSeries series) => new(
        series.Name, series.Tokens, series.Median.TotalMilliseconds, series.Tokens > 0 ? series.TokensPerSecond : null, [.. series.Samples.Select(sample => sample.TotalMilliseconds)]);
}

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
        Line($"  {"",-10}{"tokens",8}{"median",12}{"fastest",12}{"slowest",12}{"tokens/s",12}", "bold");
        foreach (SpeedSeries series in speed.Series)
            Line(string.Create(
                CultureInfo.InvariantCulture,
                $"  {series.Name,-10}{series.Tokens,8}{Milliseconds(series.Median),12}{Milliseconds(series.Samples.Min()),12}{Milliseconds(series.Samples.Max()),12}{series.TokensPerSecond,12:0.0}"));
        if (speed.Series.FirstOrDefault(series => series.Name == "decode") is { } decode)
            Line(string.Create(CultureInfo.InvariantCulture, $"  decode reads {decode.TokensPerSecond * speed.DecodeWeightBytes / 1e9:0.0} GB/s of weights"));
    }

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms");

    private void Line(string text, string style = "default") => console.WriteLine(text, Style.Parse(style));
}

/// <summary>What <c>xc2 bench --json</c> prints.</summary>
internal sealed record SpeedJson(string Model, string Device, long WeightBytes, long DecodeWeightBytes, IReadOnlyList<SpeedSeriesJson> Series)
{
    public static SpeedJson Of(SpeedResult speed) =>
        new(speed.Model, speed.Device, speed.WeightBytes, speed.DecodeWeightBytes, [.. speed.Series.Select(SpeedSeriesJson.Of)]);
}

/// <summary>Times of one kind of work, in milliseconds.</summary>
internal sealed record SpeedSeriesJson(string Name, int Tokens, double MedianMs, double TokensPerSecond, IReadOnlyList<double> SamplesMs)
{
    public static SpeedSeriesJson Of(SpeedSeries series) => new(
        series.Name, series.Tokens, series.Median.TotalMilliseconds, series.TokensPerSecond, [.. series.Samples.Select(sample => sample.TotalMilliseconds)]);
}

using System.Globalization;
using XComposer2.Native.Batch;

namespace XComposer2.Native.Cli;

/// <summary>Shows how far a batch is: the live line of a terminal, or a line on standard error every ten seconds.</summary>
/// <param name="console">The streams.</param>
/// <param name="time">The clock.</param>
/// <param name="name">Stands before each line, where a command has several inputs; empty for nothing.</param>
internal sealed class BatchWatch(CliConsole console, TimeProvider time, string name = "") : IProgress<BatchProgress>
{
    private static readonly TimeSpan interval = TimeSpan.FromSeconds(10);

    private readonly bool isLive = console.ErrorIsTerminal && console.Decorates;
    private long written = time.GetTimestamp();
    private volatile string status = "reading the input";

    /// <summary>Text of the live line.</summary>
    public string Status => status;

    public void Report(BatchProgress value)
    {
        status = name.Length == 0 ? Describe(value) : $"{name}: {Describe(value)}";
        if (isLive || time.GetElapsedTime(written) < interval)
            return;
        written = time.GetTimestamp();
        console.Hint(status);
    }

    /// <summary>"120 of 5,000, 3.1 pictures a second, 26 min left, 2 failed".</summary>
    public static string Describe(in BatchProgress value)
    {
        string done = value.Total is { } total ? $"{Count(value.Done)} of {Count(total)}" : $"{Count(value.Done)} done";
        return $"{done}, {Speed(value)}{(value.Left is { } left ? $", {Duration(left)} left" : "")}{(value.Failed > 0 ? $", {Count(value.Failed)} failed" : "")}";
    }

    /// <summary>Pictures a second, or rows where there are no pictures.</summary>
    public static string Speed(in BatchProgress value) => value.PicturesPerSecond > 0 ? $"{Rate(value.PicturesPerSecond)} pictures a second" : $"{Rate(value.SamplesPerSecond)} rows a second";

    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Duration(TimeSpan time) =>
        time.TotalSeconds < 10 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s")
        : time.TotalSeconds < 60 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s")
        : time.TotalMinutes < 60 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min")
        : time.TotalHours < 48 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.#} days");

    private static string Rate(double value) => value.ToString(value < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);
}

using System.Globalization;
using XComposer2.Native.Batch;

namespace XComposer2.Native.Cli;

/// <summary>How far a data set is: one live line on a terminal; elsewhere, if verbose, a line for each tenth.</summary>
internal sealed class EvalProgress(CliConsole console, string name, bool verbose) : IProgress<BatchProgress>
{
    private const int Parts = 10;

    private volatile string status = "";
    private long written = -1;

    /// <summary>Text of the live line.</summary>
    public string Status => status.Length == 0 ? name : status;

    public void Report(BatchProgress value)
    {
        string left = value.Left is { } time ? $", {Duration(time)} left" : "";
        status = string.Create(CultureInfo.InvariantCulture, $"{name}: {value.Done} of {value.Total}, {value.SamplesPerSecond:0.00} per second{left}{(value.Failed > 0 ? $", {value.Failed} failed" : "")}");
        if (!verbose || (console.ErrorIsTerminal && console.Decorates) || value.Total is not > 0)
            return;
        long part = value.Done * Parts / value.Total.Value;
        if (part == written)
            return;
        written = part;
        console.Hint(status);
    }

    private static string Duration(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes} min" : time.TotalMinutes >= 1 ? $"{(int)time.TotalMinutes} min {time.Seconds} s" : $"{(int)Math.Ceiling(time.TotalSeconds)} s";
}

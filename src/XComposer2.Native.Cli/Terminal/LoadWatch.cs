using System.Collections.Concurrent;
using System.Globalization;

namespace XComposer2.Native.Cli;

/// <summary>
/// What the person at the terminal sees of a model that is being loaded: one live line at a terminal, a line for each tenth on standard error
/// elsewhere where that is wanted, and afterwards what was noticed.
/// </summary>
internal sealed class LoadWatch(CliConsole console, bool verbose) : IProgress<LoadProgress>
{
    private const int Parts = 10;

    private readonly ConcurrentQueue<string> notices = new();
    private readonly Lock writing = new();
    private (LoadPhase Phase, long Part)? written;
    private volatile string status = "loading the model";

    /// <summary>The live line's text.</summary>
    public string Status => status;

    private bool WritesLines => verbose && !(console.ErrorIsTerminal && console.Decorates);

    public void Report(LoadProgress value)
    {
        string text = Describe(value);
        status = text;
        if (!WritesLines || value.Total <= 0)
            return;
        lock (writing)
        {
            (LoadPhase, long) now = (value.Phase, value.Done * Parts / value.Total);
            if (now == written)
                return;
            written = now;
            console.Hint(text);
        }
    }

    /// <summary>Keeps a sentence until the live line is gone.</summary>
    public void Notice(string text) => notices.Enqueue(text);

    /// <summary>Writes what was noticed, each sentence once.</summary>
    public void WriteNotices()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (notices.TryDequeue(out string? notice))
            if (seen.Add(notice))
                console.Hint($"xc2: {TerminalText.OneLine(notice)}");
    }

    private static string Describe(LoadProgress value) => value.Phase == LoadPhase.CompilingKernels
        ? string.Create(CultureInfo.InvariantCulture, $"compiling kernels, {value.Done} of {value.Total}")
        : $"uploading weights, {InspectionText.Size(value.Done)} of {InspectionText.Size(value.Total)}";
}

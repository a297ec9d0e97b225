using System.Collections.Concurrent;
using System.Globalization;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Cli;

/// <summary>Loads a model and tells the person at the terminal: how far it is, what was noticed, and where it runs.</summary>
internal static class ModelLoading
{
    /// <param name="console">The streams.</param>
    /// <param name="model">Which checkpoint.</param>
    /// <param name="engine">How; the path is the model's.</param>
    /// <param name="isVerbose">Standard error is told more.</param>
    /// <param name="connect">Loads it.</param>
    /// <param name="infoOf">Facts of what was loaded.</param>
    public static async Task<T> LoadAsync<T>(
        CliConsole console, ModelFolder model, EngineOptions engine, bool isVerbose, Func<EngineOptions, Task<T>> connect, Func<T, EngineInfo> infoOf)
    {
        if (model.IsDemo)
            console.Note("No --model: this is the tiny demo, which knows nothing but coloured shapes.");
        LoadWatch watch = new(console, isVerbose);
        T loaded;
        try
        {
            loaded = await console.WaitAsync(() => watch.Status, connect(engine with { ModelPath = model.Path, Progress = watch, Notice = watch.Notice })).ConfigureAwait(false);
        }
        finally
        {
            watch.WriteNotices();
        }

        EngineInfo info = infoOf(loaded);
        if (isVerbose)
            console.Hint(info.DeviceNote is { } note ? $"{info.Device} ({note})" : info.Device);
        else if (info.DeviceFailed)
            console.Note($"On the processor: {info.DeviceNote}");
        return loaded;
    }
}

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

/// <summary>Which checkpoint is meant.</summary>
/// <param name="Path">The folder.</param>
/// <param name="IsDemo">It is the demo, because nothing else was named.</param>
internal readonly record struct ModelFolder(string Path, bool IsDemo)
{
    public const string VariableName = "XC2_MODEL";

    private const string DemoPath = "tools/demo/checkpoint";

    /// <param name="named">From the command line; null for none.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="programFolder">The demo is looked for here and in the checkout that the program was built in.</param>
    /// <exception cref="UsageException">No model is named, and the demo is not there.</exception>
    public static ModelFolder Choose(string? named, Func<string, string?> variable, string programFolder)
    {
        if (named is not null)
            return new ModelFolder(named, false);
        if (variable(VariableName) is { Length: > 0 } fromVariable)
            return new ModelFolder(fromVariable, false);
        foreach (string root in new[] { programFolder, ProgramCheckout.Find(programFolder) }.OfType<string>())
            if (System.IO.Path.Combine(root, DemoPath) is { } demo && Directory.Exists(demo))
                return new ModelFolder(demo, true);
        throw new UsageException($"no model: name a checkpoint folder with --model or in {VariableName} (the demo, {DemoPath}, is not beside this program)");
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Cli;

/// <summary>Loads a model and reports progress, notices and the device on the console.</summary>
internal static class ModelLoading
{
    /// <param name="console">The streams.</param>
    /// <param name="model">The checkpoint.</param>
    /// <param name="engine">Engine options; the path is taken from <paramref name="model"/>.</param>
    /// <param name="isVerbose">Writes more to standard error.</param>
    /// <param name="connect">Loads the model.</param>
    /// <param name="infoOf">Returns facts about the loaded model.</param>
    public static async Task<T> LoadAsync<T>(
        CliConsole console, ModelFolder model, EngineOptions engine, bool isVerbose, Func<EngineOptions, Task<T>> connect, Func<T, EngineInfo> infoOf)
    {
        if (model.IsDemo)
            console.Note("No --model: using the tiny demo, which knows only coloured shapes.");
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
            console.Note($"Running on the CPU: {info.DeviceNote}");
        return loaded;
    }
}

/// <summary>
/// Progress of loading a model: one live line on a terminal; elsewhere, if verbose, a line on standard error for each tenth. Notices follow
/// afterwards.
/// </summary>
internal sealed class LoadWatch(CliConsole console, bool verbose) : IProgress<LoadProgress>
{
    private const int Parts = 10;

    private readonly ConcurrentQueue<string> notices = new();
    private readonly Lock writing = new();
    private (LoadPhase Phase, long Part)? written;
    private volatile string status = "loading the model";

    /// <summary>Text of the live line.</summary>
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

    /// <summary>Queues a notice until the live line is gone.</summary>
    public void Notice(string text) => notices.Enqueue(text);

    /// <summary>Writes the queued notices without duplicates.</summary>
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

/// <summary>The selected checkpoint.</summary>
/// <param name="Path">Path of the folder.</param>
/// <param name="IsDemo">Whether it is the demo, used because no model was named.</param>
internal readonly record struct ModelFolder(string Path, bool IsDemo)
{
    public const string VariableName = "XC2_MODEL";

    private const string DemoPath = "tools/demo/checkpoint";
    private const string GoldenPath = "tests/golden/checkpoint";

    /// <param name="named">Value of the command line option; null if absent.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="programFolder">The demo is searched here and in the checkout that the program was built in.</param>
    /// <exception cref="UsageException">No model is named, and the demo was not found.</exception>
    public static ModelFolder Choose(string? named, Func<string, string?> variable, string programFolder)
    {
        if (named is not null)
            return new ModelFolder(named, false);
        if (variable(VariableName) is { Length: > 0 } fromVariable)
            return new ModelFolder(fromVariable, false);
        if (FindBeside(programFolder, DemoPath) is { } demo)
            return new ModelFolder(demo, true);
        throw new UsageException($"no model: set --model or {VariableName} to a checkpoint folder (the demo, {DemoPath}, was not found beside this program)");
    }

    /// <summary>The checkpoint of the repository that has a golden file; null if it was not found.</summary>
    /// <param name="programFolder">It is searched here and in the checkout that the program was built in.</param>
    public static string? FindSmallest(string programFolder) => FindBeside(programFolder, GoldenPath);

    private static string? FindBeside(string programFolder, string path)
    {
        foreach (string root in new[] { programFolder, ProgramCheckout.Find(programFolder) }.OfType<string>())
            if (System.IO.Path.Combine(root, path) is { } folder && Directory.Exists(folder))
                return folder;
        return null;
    }
}

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

using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>Loads a model for a composer, and tells the person at the terminal.</summary>
internal static class ComposerLoading
{
    public static async Task<ComposerConnection> LoadAsync(
        CliServices services, ModelFolder model, EngineOptions engine, ComposerOptions options, bool isVerbose, CancellationToken cancellationToken)
    {
        CliConsole console = services.Console;
        if (model.IsDemo)
            console.Note("No --model: this is the tiny demo, which knows nothing but coloured shapes.");
        Task<ComposerConnection> loading = services.ConnectComposer(engine with { ModelPath = model.Path }, options, cancellationToken);
        ComposerConnection connection = await console.WaitAsync("loading the model", loading).ConfigureAwait(false);
        if (isVerbose)
            console.Hint(connection.Info.DeviceNote is { } note ? $"{connection.Info.Device} ({note})" : connection.Info.Device);
        return connection;
    }
}

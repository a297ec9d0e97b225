using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>Loads a model for a composer, and tells the person at the terminal.</summary>
internal static class ComposerLoading
{
    public static Task<ComposerConnection> LoadAsync(
        CliServices services, ModelFolder model, EngineOptions engine, ComposerOptions options, bool isVerbose, CancellationToken cancellationToken) =>
        ModelLoading.LoadAsync(
            services.Console, model, engine, isVerbose, asked => services.ConnectComposer(asked, options, cancellationToken), connection => connection.Info);
}

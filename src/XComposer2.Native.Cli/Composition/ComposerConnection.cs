using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Cli;

/// <summary>A composer, the model for galleries, and the engine of both. Owns them.</summary>
/// <param name="Composer">Composes articles.</param>
/// <param name="Pictures">Indexes galleries.</param>
/// <param name="Info">Facts about the engine.</param>
/// <param name="Engine">Null in tests.</param>
internal sealed record ComposerConnection(ArticleComposer Composer, IPictureModel Pictures, EngineInfo Info, XComposerEngine? Engine) : IDisposable
{
    public static async Task<ComposerConnection> ConnectAsync(EngineOptions options, ComposerOptions composer, CancellationToken cancellationToken)
    {
        XComposerEngine engine = await XComposerEngine.LoadAsync(options, cancellationToken).ConfigureAwait(false);
        try
        {
            return new ComposerConnection(new ArticleComposer(engine, composer), new EnginePictureModel(engine), engine.Info, engine);
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Composer.Dispose();
        Engine?.Dispose();
    }
}

/// <summary>Loads a model and creates a composer.</summary>
internal delegate Task<ComposerConnection> ComposerConnector(EngineOptions engine, ComposerOptions options, CancellationToken cancellationToken);

/// <summary>Loads a model for a composer and reports progress on the console.</summary>
internal static class ComposerLoading
{
    public static Task<ComposerConnection> LoadAsync(
        CliServices services, ModelFolder model, EngineOptions engine, ComposerOptions options, bool isVerbose, CancellationToken cancellationToken) =>
        ModelLoading.LoadAsync(
            services.Console, model, engine, isVerbose, asked => services.ConnectComposer(asked, options, cancellationToken), connection => connection.Info);
}

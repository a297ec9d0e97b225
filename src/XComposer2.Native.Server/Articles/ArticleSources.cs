using Microsoft.Extensions.Logging;
using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Server;

/// <summary>The source that is searched for pictures of articles. Safe to use from several threads.</summary>
internal sealed partial class ArticleSources : IDisposable
{
    private readonly ServerOptions options;
    private readonly ILogger log;
    private readonly HttpImageSource? service;
    private Task<FolderImageSource>? gallery;

    /// <exception cref="ImageSourceException">The service is not on an allowed host.</exception>
    public ArticleSources(ServerOptions options, ILogger log)
    {
        this.options = options;
        this.log = log;
        if (options.PictureService is { } endpoint)
            service = new HttpImageSource(new HttpImageSourceOptions { Endpoint = endpoint, AllowedHosts = options.PictureServiceHosts, Note = note => LogNote(log, note) });
        Name = options.Gallery is { } folder ? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) : options.PictureService?.Host;
    }

    /// <summary>Name for the reader, without folders; null for no source.</summary>
    public string? Name { get; }

    /// <summary>Begins to index the gallery, if there is one, beside the first requests.</summary>
    public void Open(XComposerEngine engine, ModelHolder model, CancellationToken cancellation)
    {
        if (options.Gallery is { } folder)
            gallery ??= OpenAsync(folder, engine, model, cancellation);
    }

    /// <summary>Waits until the source can be searched.</summary>
    /// <returns>Null for no source.</returns>
    /// <exception cref="ApiException">The gallery cannot be used.</exception>
    public async Task<PictureSource?> GetAsync(CancellationToken cancellation)
    {
        if (service is not null)
            return new PictureSource(Name!, service);
        if (gallery is null)
            return null;
        try
        {
            return new PictureSource(Name!, await gallery.WaitAsync(cancellation).ConfigureAwait(false));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            throw new ApiException(500, ApiException.ServerError, "the gallery of this server cannot be used; its log has the reason");
        }
    }

    public void Dispose() => service?.Dispose();

    private async Task<FolderImageSource> OpenAsync(string folder, XComposerEngine engine, ModelHolder model, CancellationToken cancellation)
    {
        using IDisposable use = model.Look();
        try
        {
            FolderImageSource opened = await Task.Run(() => FolderImageSource.OpenAsync(folder, new EnginePictureModel(engine), cancellationToken: cancellation), cancellation).ConfigureAwait(false);
            foreach (string note in opened.Report.Notes)
                LogNote(log, note);
            return opened;
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogFailure(log, failure.Message);
            throw;
        }
    }

    [LoggerMessage(EventId = 5, Level = LogLevel.Information, Message = "pictures of articles: {Note}")]
    private static partial void LogNote(ILogger log, string note);

    [LoggerMessage(EventId = 6, Level = LogLevel.Error, Message = "the gallery cannot be used: {Reason}")]
    private static partial void LogFailure(ILogger log, string reason);
}

using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Cli;

/// <summary>Opens the picture source of a command.</summary>
internal sealed class OpenedPictureSource : IDisposable
{
    private readonly IDisposable? owned;

    private OpenedPictureSource(PictureSource? source, IDisposable? owned = null)
    {
        Source = source;
        this.owned = owned;
    }

    /// <summary>Null if no source is configured.</summary>
    public PictureSource? Source { get; }

    /// <param name="request">Validated options.</param>
    /// <param name="model">Indexes the pictures of a folder.</param>
    /// <param name="console">Receives progress and notes about skipped pictures.</param>
    /// <param name="cancellationToken">Stops indexing.</param>
    /// <exception cref="ImageSourceException">The source is unusable.</exception>
    public static async Task<OpenedPictureSource> OpenAsync(PictureSourceRequest request, IPictureModel model, CliConsole console, CancellationToken cancellationToken)
    {
        if (request.Gallery is { } folder)
        {
            // An indexed folder opens at once; indexing takes time for each new picture.
            FolderImageSource gallery = await console.WaitAsync("reading the gallery", FolderImageSource.OpenAsync(folder, model, cancellationToken: cancellationToken)).ConfigureAwait(false);
            foreach (string note in gallery.Report.Notes)
                console.Hint($"note: {TerminalText.OneLine(note)}");
            return new OpenedPictureSource(new PictureSource(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), gallery));
        }

        if (request.Service is null)
            return new OpenedPictureSource(null);
        Uri endpoint = new(request.Service);
        HttpImageSource service = new(new HttpImageSourceOptions
        {
            Endpoint = endpoint,
            AllowedHosts = request.AllowedHosts,
            Note = note => console.Hint($"note: {TerminalText.OneLine(note)}"),
        });
        return new OpenedPictureSource(new PictureSource(endpoint.Host, service), service);
    }

    public void Dispose() => owned?.Dispose();
}

/// <summary>The configured picture source: a folder, a service or none.</summary>
/// <param name="Gallery">A folder; null for none.</param>
/// <param name="Service">Address of a service; null for none.</param>
/// <param name="AllowedHosts">Hosts that may be contacted.</param>
internal sealed record PictureSourceRequest(string? Gallery, string? Service, IReadOnlyList<string> AllowedHosts)
{
    public static PictureSourceRequest None { get; } = new(null, null, []);

    public bool IsNone => Gallery is null && Service is null;

    /// <exception cref="UsageException">The options are inconsistent.</exception>
    public void Require()
    {
        if (Gallery is not null && Service is not null)
            throw new UsageException("--gallery and --picture-service exclude each other");
        if (Service is not null && AllowedHosts.Count == 0)
            throw new UsageException("--picture-service needs --allow-host: article captions are sent to the allowed hosts only");
        if (Service is null && AllowedHosts.Count > 0)
            throw new UsageException("--allow-host needs --picture-service");
        if (Service is not null && !Uri.TryCreate(Service, UriKind.Absolute, out _))
            throw new UsageException($"--picture-service must be an address, not '{Service}'");
        if (Gallery is not null && !Directory.Exists(Gallery))
            throw new IOException($"{Gallery}: no such folder");
    }

    /// <summary>Checks before a model is loaded that a folder contains pictures.</summary>
    /// <exception cref="ImageSourceException">It does not.</exception>
    public void RequirePictures(CancellationToken cancellationToken)
    {
        if (Gallery is not null)
            FolderImageSource.RequirePictures(Gallery, cancellationToken: cancellationToken);
    }
}

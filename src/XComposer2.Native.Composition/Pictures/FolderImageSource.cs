namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// A gallery: a folder of pictures, indexed by the model and searched by text. Pictures are never uploaded. The index is stored in
/// <c>.xc2-gallery</c> in the folder (in the user's cache folder if that is not writable), so that later runs process only new and changed
/// pictures. The folder is read when the gallery is opened; later changes are not seen.
/// </summary>
public sealed class FolderImageSource : IImageSource
{
    private readonly string root;
    private readonly GalleryOptions options;
    private readonly List<IndexedPicture> pictures;
    private readonly GallerySearch search;

    private FolderImageSource(string root, GalleryOptions options, List<IndexedPicture> pictures, GalleryReport report)
    {
        this.root = root;
        this.options = options;
        this.pictures = pictures;
        search = new GallerySearch(pictures, options.DuplicateSimilarity);
        Report = report;
    }

    /// <summary>Result of opening.</summary>
    public GalleryReport Report { get; }

    /// <summary>Opens a gallery: lists its pictures and indexes new ones.</summary>
    /// <param name="folder">The folder; subfolders are included, links are not followed.</param>
    /// <param name="model">Computes features and captions. Not kept.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="progress">Receives one report for each picture.</param>
    /// <param name="cancellationToken">Stops within one picture; finished work is kept in the index.</param>
    /// <exception cref="ImageSourceException">The folder does not exist, cannot be read or contains no pictures.</exception>
    /// <exception cref="EngineException">An option is out of range.</exception>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static async Task<FolderImageSource> OpenAsync(
        string folder, IPictureModel model, GalleryOptions? options = null, IProgress<GalleryProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(model);
        options ??= new GalleryOptions();
        EngineException.ThrowUnless(options.DuplicateSimilarity is > 0 and <= 1, "duplicate similarity", "over 0, at most 1", options.DuplicateSimilarity);
        EngineException.ThrowUnless(options.MaxPictures >= 1, "max pictures", "1 or more", options.MaxPictures);
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        GalleryNotes notes = new();
        GalleryListing listing = List(folder, root, options, notes, cancellationToken);
        IndexFile file = new(root, options.CacheFolder, Environment.GetEnvironmentVariable);
        GalleryIndexer indexer = new(root, model, options, file, notes);
        List<IndexedPicture> indexed = await indexer.RunAsync(listing, progress, cancellationToken).ConfigureAwait(false);
        GalleryReport report = new(indexed.Count, indexer.Encoded, indexer.Captioned, indexer.Removed, file.Found, notes.ToList());
        if (indexed.Count == 0)
            throw new ImageSourceException($"{folder}: none of its {listing.Pictures.Count} pictures can be used: {string.Join("; ", report.Notes.Take(3))}");
        return new FolderImageSource(root, options, indexed, report);
    }

    /// <summary>Checks that the folder contains pictures, without opening them: before a model is loaded.</summary>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    /// <exception cref="ImageSourceException">The folder does not exist, cannot be read or contains no pictures.</exception>
    public static void RequirePictures(string folder, GalleryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        _ = List(folder, Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), options ?? new GalleryOptions(), new GalleryNotes(), cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>The query is compared with sidecar captions, file names, embedded text and the model's captions. Of similar-looking pictures
    /// only the best match is returned; pictures similar to an excluded one are skipped.</remarks>
    public async ValueTask<IReadOnlyList<ImageCandidate>> SearchAsync(ImageQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Count, 1, nameof(query));
        bool isCjk = query.Text.EnumerateRunes().Any(TextTerms.IsCjk);
        List<ImageCandidate> candidates = [];
        foreach (int number in search.Find(query.Text, query.ExcludedIds))
        {
            cancellationToken.ThrowIfCancellationRequested();
            PictureRecord record = pictures[number].Record;
            if (await ReadAsync(record, cancellationToken).ConfigureAwait(false) is { } bytes)
                candidates.Add(new ImageCandidate(record.File.Path, Path.GetFileName(record.File.Path), pictures[number].Caption(isCjk), bytes));
            if (candidates.Count == query.Count)
                break;
        }

        return candidates;
    }

    // Pictures removed or changed since the gallery was opened are skipped: their index entry is outdated.
    private Task<byte[]?> ReadAsync(PictureRecord record, CancellationToken cancellation) => Task.Run(
        () =>
        {
            try
            {
                byte[] bytes = GalleryFile.Read(Path.Combine(root, record.File.Path), options.Limits.MaxFileBytes);
                return ContentHash.Of(bytes) == record.Hash ? bytes : null;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        },
        cancellation);

    private static GalleryListing List(string folder, string root, GalleryOptions options, GalleryNotes notes, CancellationToken cancellation)
    {
        if (!Directory.Exists(root))
            throw new ImageSourceException($"{folder}: {(File.Exists(root) ? "expected a folder, found a file" : "no such folder")}");
        GalleryListing listing;
        try
        {
            listing = new GalleryScan(root, options, notes).Run(cancellation);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageSourceException($"{folder}: cannot be read: {error.Message}", error);
        }

        if (listing.Pictures.Count == 0)
            throw new ImageSourceException($"{folder}: no pictures: PNG, JPEG, WebP, GIF, BMP or TIFF expected, found {listing.FilesSeen} other files and folders");
        return listing;
    }
}

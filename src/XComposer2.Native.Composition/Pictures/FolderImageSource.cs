namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// A gallery: a folder of pictures that is looked at once by the model and searched by text. Nothing leaves the machine. What was learnt lies in
/// <c>.xc2-gallery</c> in the folder (or in the user's cache folder where that cannot be written), so that the next time only new and changed
/// pictures are looked at. The folder is read when the gallery is opened; later changes are seen by opening it again.
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

    /// <summary>What opening did.</summary>
    public GalleryReport Report { get; }

    /// <summary>Opens a gallery: finds its pictures and looks at those that are not in its index.</summary>
    /// <param name="folder">Its folder; folders within are searched too, links are not followed.</param>
    /// <param name="model">Makes features and captions. Not kept.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="progress">Told of each picture.</param>
    /// <param name="cancellationToken">Stops within one picture; what was done by then is kept and not done again.</param>
    /// <exception cref="ImageSourceException">No such folder, it cannot be read, or there is no picture in it.</exception>
    /// <exception cref="EngineException">An option is out of its range.</exception>
    public static async Task<FolderImageSource> OpenAsync(
        string folder, IPictureModel model, GalleryOptions? options = null, IProgress<GalleryProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(model);
        options ??= new GalleryOptions();
        EngineException.ThrowUnless(options.DuplicateSimilarity is > 0 and <= 1, "duplicate similarity", "over 0, at most 1", options.DuplicateSimilarity);
        EngineException.ThrowUnless(options.MaxPictures >= 1, "most pictures", "1 or more", options.MaxPictures);
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

    /// <inheritdoc/>
    /// <remarks>The text is compared with captions beside the pictures, their names, words in their files and the model's captions. Of pictures that
    /// look the same only the one whose text fits best is returned, and none that looks like an excluded one.</remarks>
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

    // A picture that was removed or changed since the gallery was opened is passed over: what is known of it no longer holds.
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
            throw new ImageSourceException($"{folder}: {(File.Exists(root) ? "is a file, a folder of pictures was expected" : "no such folder")}");
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

using System.Diagnostics;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Brings an index up to date with its gallery: only what is new or changed goes through the model, and what is done is kept when it is stopped.</summary>
internal sealed class GalleryIndexer(string root, IPictureModel model, GalleryOptions options, IndexFile file, GalleryNotes notes)
{
    private readonly Dictionary<string, PictureRecord> records = new(StringComparer.Ordinal);
    private readonly Dictionary<ContentHash, PictureRecord> byHash = [];
    private bool isChanged;

    public int Encoded { get; private set; }

    public int Captioned { get; private set; }

    public int Removed { get; private set; }

    /// <returns>Each picture that can be used, with its words, in order of their paths.</returns>
    /// <exception cref="OperationCanceledException">What was done is saved.</exception>
    public async Task<List<IndexedPicture>> RunAsync(GalleryListing listing, IProgress<GalleryProgress>? progress, CancellationToken cancellation)
    {
        Recall(listing);
        SidecarCaptions sidecars = new(root, listing, notes);
        sidecars.ReadTables();
        List<IndexedPicture> indexed = [];
        long saved = Stopwatch.GetTimestamp();
        try
        {
            for (int index = 0; index < listing.Pictures.Count; index++)
            {
                cancellation.ThrowIfCancellationRequested();
                FoundPicture picture = listing.Pictures[index];
                PictureWords words = new(picture, sidecars.Of(picture));
                if (await UpdateAsync(picture, words, cancellation).ConfigureAwait(false) is { } record)
                    indexed.Add(new IndexedPicture(record, words));
                progress?.Report(new GalleryProgress(index + 1, listing.Pictures.Count, CaptionText.Clean(picture.Path)));
                if (Stopwatch.GetElapsedTime(saved) < options.SaveInterval)
                    continue;
                Save();
                saved = Stopwatch.GetTimestamp();
            }
        }
        finally
        {
            Save();
        }

        return indexed;
    }

    private void Recall(GalleryListing listing)
    {
        List<PictureRecord> known = file.Read(model.Fingerprint, notes);
        foreach (PictureRecord record in known)
        {
            records[record.File.Path] = record;
            byHash[record.Hash] = record;
        }

        HashSet<string> present = [.. listing.Pictures.Select(picture => picture.Path)];
        foreach (PictureRecord record in known)
            if (!present.Contains(record.File.Path))
                Forget(record.File.Path);
        Removed = known.Count - records.Count;
    }

    private async Task<PictureRecord?> UpdateAsync(FoundPicture picture, PictureWords words, CancellationToken cancellation)
    {
        PictureRecord? known = records.GetValueOrDefault(picture.Path);
        if (known?.File == picture && !NeedsCaption(known, words))
            return known;
        try
        {
            // Off the caller's thread: reading and decoding take a while, also where the model itself is busy elsewhere.
            PictureRecord made = await Task.Run(() => MakeAsync(picture, words, cancellation), cancellation).ConfigureAwait(false);
            records[picture.Path] = made;
            byHash[made.Hash] = made;
            isChanged = true;
            return made;
        }
        catch (Exception error) when (error is ImageException or IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException or NotSupportedException or ArithmeticException or IndexOutOfRangeException)
        {
            // One picture, whatever is wrong with it, never ends the run; a failing model does. The decoder's messages begin with the name; the file system's may have none, or a whole path.
            notes.Add(error is ImageException ? error.Message : $"{picture.Path}: {error.Message}");
            Forget(picture.Path);
            return null;
        }
    }

    private async Task<PictureRecord> MakeAsync(FoundPicture picture, PictureWords words, CancellationToken cancellation)
    {
        byte[] bytes = GalleryFile.Read(Path.Combine(root, picture.Path), options.Limits.MaxFileBytes);
        ContentHash hash = ContentHash.Of(bytes);
        // The same bytes were seen before: a file that was touched or renamed, or a copy.
        PictureRecord record = byHash.TryGetValue(hash, out PictureRecord? same)
            ? same with { File = picture }
            : await EncodeAsync(picture, bytes, hash, cancellation).ConfigureAwait(false);
        if (!NeedsCaption(record, words))
            return record;
        IReadOnlyList<string> captions = await model.CaptionsAsync(bytes, picture.Path, cancellation).ConfigureAwait(false);
        Captioned++;
        return record with { Captions = [.. captions.Select(caption => CaptionText.Clean(caption)).Where(caption => caption.Length > 0)] };
    }

    private async Task<PictureRecord> EncodeAsync(FoundPicture picture, byte[] bytes, ContentHash hash, CancellationToken cancellation)
    {
        // Refused before the model sees it, by the gallery's limits rather than by the engine's.
        ImageHeader header = ImageHeader.Read(bytes, picture.Path);
        if ((UInt128)header.Width * (UInt128)header.Height > (UInt128)options.Limits.MaxPixels)
            throw new ImageException($"{picture.Path}: the picture is {header.Width} x {header.Height}, the limit is {options.Limits.MaxPixels} pixels");
        ReadOnlyMemory<float> features = await model.FeaturesAsync(bytes, picture.Path, cancellation).ConfigureAwait(false);
        Encoded++;
        return new PictureRecord(picture, hash, CompactFeatures.From(features.Span), PictureMetadata.Of(bytes), null);
    }

    private bool NeedsCaption(PictureRecord record, PictureWords words) =>
        options.WriteCaptions && record.Captions is null && !words.SayWhatIsShown && record.Metadata.Length == 0;

    private void Forget(string path) => isChanged |= records.Remove(path);

    private void Save()
    {
        if (isChanged)
            file.Write(model.Fingerprint, records.Values, notes);
        isChanged = false;
    }
}

namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// Walks a gallery. Links are never followed: what they lead to inside is found anyway, and what lies outside is not in the gallery.
/// Names that begin with a dot are left out.
/// </summary>
internal sealed class GalleryScan(string root, GalleryOptions options, GalleryNotes notes)
{
    private const int MaxEntries = 2_000_000;

    private readonly List<FoundPicture> pictures = [];
    private readonly Dictionary<string, long> texts = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> unread = new(StringComparer.Ordinal);
    private int entries;
    private int links;
    private int leftOut;

    /// <summary>File endings of pictures, in lower case.</summary>
    public static bool IsPictureName(string name) => Path.GetExtension(name).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg" or ".bmp" or ".gif";

    public GalleryListing Run(CancellationToken cancellation)
    {
        // One that is full of folders within folders would fill a stack of calls.
        Stack<(DirectoryInfo Folder, string Path, int Depth)> open = new([(new DirectoryInfo(root), string.Empty, 0)]);
        while (open.TryPop(out var next) && entries < MaxEntries)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (FileSystemInfo entry in Entries(next.Folder, next.Path))
            {
                if (++entries >= MaxEntries)
                {
                    notes.Add($"{root}: only the first {MaxEntries} files and folders were looked at");
                    break;
                }

                if (entry.Name.StartsWith('.'))
                    continue;
                if (entry.Attributes.HasFlag(FileAttributes.ReparsePoint) && entry.LinkTarget is not null)
                    links++;
                else if (entry is FileInfo file)
                    Take(file, next.Path + file.Name);
                else if (next.Depth < options.MaxDepth)
                    open.Push(((DirectoryInfo)entry, $"{next.Path}{entry.Name}/", next.Depth + 1));
                else
                    notes.Add($"{next.Path}{entry.Name}: not entered, it lies more than {options.MaxDepth} folders deep");
            }
        }

        NoteWhatIsLeftOut();
        pictures.Sort(static (first, second) => string.CompareOrdinal(first.Path, second.Path));
        return new GalleryListing(pictures, texts, entries);
    }

    private List<FileSystemInfo> Entries(DirectoryInfo folder, string path)
    {
        try
        {
            return [.. folder.EnumerateFileSystemInfos().Take(MaxEntries)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException && path.Length > 0)
        {
            notes.Add($"{path}: cannot be listed: {error.Message}");
            return [];
        }
    }

    private void Take(FileInfo file, string path)
    {
        string ending = file.Extension.ToLowerInvariant();
        if (IsPictureName(file.Name))
        {
            if (pictures.Count < options.MaxPictures)
                pictures.Add(new FoundPicture(path, file.Length, file.LastWriteTimeUtc.Ticks));
            else
                leftOut++;
        }
        else if (ending is ".txt" or ".caption" or ".json" or ".csv")
        {
            texts.TryAdd(path, file.Length);
        }
        else if (ending is ".webp" or ".tif" or ".tiff" or ".heic" or ".heif" or ".avif" or ".svg")
        {
            unread[ending] = unread.GetValueOrDefault(ending) + 1;
        }
    }

    private void NoteWhatIsLeftOut()
    {
        if (leftOut > 0)
            notes.Add($"{root}: {leftOut} pictures over the limit of {options.MaxPictures} were left out");
        if (links > 0)
            notes.Add($"{root}: {links} links were not followed");
        foreach ((string ending, int count) in unread)
            notes.Add($"{root}: {count} files {ending} were left out; PNG, JPEG, BMP and GIF are read");
    }
}

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
    public static bool IsPictureName(string name) => Path.GetExtension(name).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg" or ".webp" or ".gif" or ".bmp" or ".tif" or ".tiff";

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
                if (!TryTake(entry, next.Path))
                    continue;
                if (next.Depth < options.MaxDepth)
                    open.Push(((DirectoryInfo)entry, $"{next.Path}{entry.Name}/", next.Depth + 1));
                else
                    notes.Add($"{next.Path}{entry.Name}: not entered, it lies more than {options.MaxDepth} folders deep");
            }
        }

        NoteWhatIsLeftOut();
        pictures.Sort(static (first, second) => string.CompareOrdinal(first.Path, second.Path));
        return new GalleryListing(pictures, texts, entries);
    }

    /// <summary>Adds a file. Files without accessible metadata, such as those whose name is not UTF-8, are skipped with a note.</summary>
    /// <returns>True for a folder to be entered.</returns>
    private bool TryTake(FileSystemInfo entry, string folder)
    {
        try
        {
            if (entry.Attributes.HasFlag(FileAttributes.ReparsePoint) && entry.LinkTarget is not null)
                links++;
            else if (entry is FileInfo file)
                Take(file, folder + file.Name);
            else
                return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            bool isBadName = entry.Name.Contains('\uFFFD', StringComparison.Ordinal);
            notes.Add($"{folder}{entry.Name}: left out: {(isBadName ? "its name is not UTF-8" : error.Message)}");
        }
        return false;
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
        // Names that are not valid UTF-8 are listed with replacement characters and cannot be opened.
        if (path.Contains('\uFFFD') && !file.Exists)
        {
            notes.Add($"{path}: left out, its name is not UTF-8");
            return;
        }

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
        else if (ending is ".heic" or ".heif" or ".avif" or ".jxl" or ".svg")
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
            notes.Add($"{root}: {count} files {ending} were left out; PNG, JPEG, WebP, GIF, BMP and TIFF are read");
    }
}

/// <summary>What lies in a gallery: pictures in order of their paths, and the texts beside them by path (within the gallery).</summary>
internal sealed record GalleryListing(IReadOnlyList<FoundPicture> Pictures, IReadOnlyDictionary<string, long> TextBytes, int FilesSeen);

/// <summary>A picture file in a gallery, as the folder lists it.</summary>
/// <param name="Path">Within the gallery, with '/' between its parts.</param>
/// <param name="FileBytes">Size.</param>
/// <param name="ModifiedTicks">Time of the last change, UTC.</param>
internal sealed record FoundPicture(string Path, long FileBytes, long ModifiedTicks)
{
    /// <summary>The folder's path within the gallery, empty or ending with '/'.</summary>
    public string Folder => Path[..(Path.LastIndexOf('/') + 1)];

    /// <summary>The file's name without its ending.</summary>
    public string Stem => System.IO.Path.GetFileNameWithoutExtension(Path);
}

/// <summary>Reads files of a gallery: only regular ones, and only as much as is allowed.</summary>
internal static class GalleryFile
{
    /// <summary>The complete file.</summary>
    /// <exception cref="IOException">Empty, over the limit, no regular file, or unreadable; the message has no path.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read.</exception>
    public static byte[] Read(string path, long maxBytes)
    {
        FileInfo named = new(path);
        if (named.LinkTarget is not null)
            throw new IOException("is a link");
        // Asked of the name before it is opened: opening a named pipe would wait for its writer for ever.
        if (!named.Exists || named.Length == 0)
            throw new IOException(named.Exists ? "the file is empty" : "no such file");
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        if (stream.Length > maxBytes)
            throw new IOException($"the file has {stream.Length} bytes, the limit is {maxBytes}");
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)stream.Length);
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Reads the beginning of a text file.</summary>
    public static byte[] ReadBeginning(string path, int maxBytes)
    {
        FileInfo named = new(path);
        if (named.LinkTarget is not null || !named.Exists || named.Length == 0)
            return [];
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        byte[] bytes = new byte[Math.Min(stream.Length, maxBytes)];
        return bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).ToArray();
    }
}

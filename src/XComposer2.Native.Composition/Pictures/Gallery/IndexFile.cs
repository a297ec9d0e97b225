using System.Security.Cryptography;
using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// Where a gallery's index lies: <c>.xc2-gallery</c> in the gallery, or, where that cannot be written, a file of the user's cache folder that is named
/// after the gallery's path. It appears whole or not at all.
/// </summary>
internal sealed class IndexFile
{
    private const string Name = ".xc2-gallery";
    private const long MaxBytes = 512L << 20;

    private readonly string inGallery;
    private readonly string? inCache;

    /// <param name="gallery">Full path.</param>
    /// <param name="cacheFolder">Null for the user's.</param>
    /// <param name="environment">Variables.</param>
    public IndexFile(string gallery, string? cacheFolder, Func<string, string?> environment)
    {
        inGallery = Path.Combine(gallery, Name);
        string? folder = cacheFolder ?? UserCache(environment);
        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(gallery)).AsSpan(0, 16));
        inCache = folder is null ? null : Path.Combine(folder, key + Name);
    }

    /// <summary>Where the index was read or written last; null where it is nowhere.</summary>
    public string? Found { get; private set; }

    /// <summary>What was kept; empty where there is nothing that can be used. A note says why not, unless there just was no index.</summary>
    public List<PictureRecord> Read(string fingerprint, GalleryNotes notes)
    {
        // A gallery that became read-only has an index of its own, and a newer one in the cache.
        foreach (string path in Places().Where(File.Exists).OrderByDescending(File.GetLastWriteTimeUtc))
        {
            try
            {
                List<PictureRecord> records = IndexFormat.Read(GalleryFile.Read(path, MaxBytes), fingerprint);
                Found = path;
                return records;
            }
            catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                notes.Add($"{path}: the index is not used, {error.Message}; it is made anew");
            }
        }

        return [];
    }

    /// <summary>Keeps the index at the first place that can be written.</summary>
    public void Write(string fingerprint, IReadOnlyCollection<PictureRecord> records, GalleryNotes notes)
    {
        byte[] bytes = IndexFormat.Write(fingerprint, records);
        string? refusal = null;
        foreach (string path in Places())
        {
            try
            {
                Publish(path, bytes);
                Found = path;
                return;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                refusal = error.Message;
            }
        }

        Found = null;
        notes.Add($"the index cannot be kept, so that the pictures will be looked at again the next time: {refusal}");
    }

    private IEnumerable<string> Places() => inCache is null ? [inGallery] : [inGallery, inCache];

    private static void Publish(string path, byte[] bytes)
    {
        string unfinished = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            if (Path.GetFileName(path) != Name)
                CreateCacheFolder(Path.GetDirectoryName(path)!);
            using (FileStream stream = new(unfinished, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }

            File.Move(unfinished, path, overwrite: true);
        }
        finally
        {
            if (File.Exists(unfinished))
                File.Delete(unfinished);
        }
    }

    /// <summary>Private to the user.</summary>
    private static void CreateCacheFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string? UserCache(Func<string, string?> environment)
    {
        if (environment("XC2_CACHE") is { Length: > 0 } named)
            return Path.Combine(named, "galleries");
        string? platform = OperatingSystem.IsWindows() ? environment("LOCALAPPDATA")
            : environment("XDG_CACHE_HOME") is { Length: > 0 } caches && Path.IsPathRooted(caches) ? caches
            : environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache") : null;
        return platform is null ? null : Path.Combine(platform, "xcomposer2-native", "galleries");
    }
}

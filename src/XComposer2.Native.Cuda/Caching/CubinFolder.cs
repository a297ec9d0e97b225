namespace XComposer2.Native.Cuda;

/// <summary>
/// A folder of entries, one file each. Writers work beside each other, in any number of processes: a file appears under its name whole, or not
/// at all, and whoever comes second throws its own away.
/// </summary>
internal sealed class CubinFolder(string path, Action<string> notice)
{
    private const string Extension = ".cubin", Unfinished = ".tmp";
    private static readonly TimeSpan abandonedAfter = TimeSpan.FromDays(1);

    public string Path => path;

    public bool Exists => Directory.Exists(path);

    /// <summary>Whether there is a file of an entry, whole or not, that any compiler made.</summary>
    public bool Has(CubinKey key) => HasFile(key.Prefix + "*" + Extension);

    /// <summary>Whether there is a file of any kernel for a target.</summary>
    public bool HasAnyFor(CudaTarget target) => HasFile($"*.{target}.*{Extension}");

    /// <summary>The entry that a compiler made; null where there is none that is whole.</summary>
    public CompiledKernel? Find(CubinKey key, string compiler) => Read(key, FileOf(key, compiler));

    /// <summary>An entry that any compiler made, the newest by name first.</summary>
    public CompiledKernel? FindAny(CubinKey key)
    {
        if (!Directory.Exists(path)) return null;
        return Directory.GetFiles(path, key.Prefix + "*" + Extension).OrderDescending(StringComparer.Ordinal)
            .Select(file => Read(key, file)).FirstOrDefault(kernel => kernel is not null);
    }

    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder must not be written.</exception>
    public void Add(CubinKey key, string compiler, CompiledKernel kernel)
    {
        Directory.CreateDirectory(path);
        string file = FileOf(key, compiler), unfinished = $"{file}.{Guid.NewGuid():N}{Unfinished}";
        try
        {
            using (FileStream stream = new(unfinished, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(CubinEntry.Write(key, kernel));
                stream.Flush(flushToDisk: true);
            }
            Publish(key, unfinished, file);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    /// <summary>Removes what writers left that were stopped in the middle. Never fails.</summary>
    public void RemoveAbandoned()
    {
        try
        {
            if (!Directory.Exists(path)) return;
            foreach (string file in Directory.GetFiles(path, "*" + Unfinished))
                if (DateTime.UtcNow - File.GetLastWriteTimeUtc(file) > abandonedAfter) File.Delete(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It is only tidying; another run will.
        }
    }

    private bool HasFile(string pattern) => Exists && Directory.EnumerateFiles(path, pattern).Any();

    private string FileOf(CubinKey key, string compiler) => System.IO.Path.Combine(path, key.Prefix + compiler + Extension);

    private static void Publish(CubinKey key, string unfinished, string file)
    {
        try
        {
            File.Move(unfinished, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            // Another was first. Only a damaged entry gives way.
            if (CubinEntry.Read(key, File.ReadAllBytes(file)) is null) File.Move(unfinished, file, overwrite: true);
        }
    }

    private CompiledKernel? Read(CubinKey key, string file)
    {
        try
        {
            if (!File.Exists(file)) return null;
            CompiledKernel? kernel = CubinEntry.Read(key, File.ReadAllBytes(file));
            if (kernel is null) notice($"the compiled kernel {file} is damaged and not used");
            return kernel;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            notice($"the compiled kernel {file} cannot be read: {failure.Message}");
            return null;
        }
    }
}

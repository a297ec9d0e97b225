using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace XComposer2.Native.Cuda;

/// <summary>
/// A folder of entries, one file each. Writers work beside each other, in any number of processes: a file appears under its name whole, or not
/// at all, and whoever comes second throws its own away.
/// </summary>
internal sealed class CubinFolder(string path, Action<string> notice)
{
    private const string Extension = ".cubin", Unfinished = ".tmp";
    private const long MaximumEntryBytes = 256L << 20;
    private static readonly TimeSpan abandonedAfter = TimeSpan.FromDays(1);

    public string Path => path;

    /// <summary>Private to the user: created with these permissions, and files that others can write are not used.</summary>
    public bool IsPrivate { get; init; }

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
        Create();
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

    /// <exception cref="IOException">It cannot be created, or others can write to it.</exception>
    private void Create()
    {
        if (!IsPrivate || OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }
        Directory.CreateDirectory(path, FileTrust.Private);
        DirectoryInfo folder = new(path);
        // Created by an earlier version or with default permissions.
        if (folder.LinkTarget is null && folder.UnixFileMode != FileTrust.Private)
            folder.UnixFileMode = FileTrust.Private;
        if (FileTrust.Distrust(folder) is { } distrust)
            throw new IOException($"{path} {distrust}");
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
            if (new FileInfo(file) is { LinkTarget: null, Length: > 0 and <= MaximumEntryBytes } && CubinEntry.Read(key, File.ReadAllBytes(file)) is not null) return;
            File.Move(unfinished, file, overwrite: true);
        }
    }

    private CompiledKernel? Read(CubinKey key, string file)
    {
        try
        {
            if (!File.Exists(file)) return null;
            FileInfo entry = new(file);
            // Checked before opening: a named pipe has no length, and opening it would block.
            if ((IsPrivate ? FileTrust.Distrust(new DirectoryInfo(path)) ?? FileTrust.Distrust(entry) : null) is { } distrust)
            {
                notice($"the compiled kernel {file} is not used: it or its folder {distrust}");
                return null;
            }
            CompiledKernel? kernel = entry.Length is > 0 and <= MaximumEntryBytes ? CubinEntry.Read(key, File.ReadAllBytes(file)) : null;
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

/// <summary>Where compiled kernels are kept, and where others may have put some.</summary>
public static class CubinFolders
{
    /// <summary>How every folder of compiled kernels is called.</summary>
    public const string Cubins = "cubins";

    private const string Variable = "XC2_CACHE", ShippedVariable = "XC2_KERNELS", Product = "xcomposer2-native";

    /// <summary>The folder to use; null where the system names no place and the user none.</summary>
    internal static string? Choose(string? option, Func<string, string?> environment)
    {
        if (option is not null) return option;
        if (environment(Variable) is { Length: > 0 } named) return Path.Combine(named, Cubins);
        string? platform = OperatingSystem.IsWindows() ? environment("LOCALAPPDATA") : UnixCaches(environment);
        return platform is null ? null : Path.Combine(platform, Product, Cubins);
    }

    /// <summary>Folders that others filled (<c>xc2 kernels compile --out</c>): the one that is named, and the one beside the program.</summary>
    internal static IReadOnlyList<string> Shipped(Func<string, string?> environment, string programFolder) =>
        environment(ShippedVariable) is { Length: > 0 } named ? [Within(named), Within(programFolder)] : [Within(programFolder)];

    /// <summary>Where <c>xc2 kernels compile</c> puts them in the folder that it is given.</summary>
    public static string Within(string folder) => Path.Combine(folder, Cubins);

    private static string? UnixCaches(Func<string, string?> environment)
    {
        // The base directory specification: a path that is not absolute does not count.
        if (environment("XDG_CACHE_HOME") is { Length: > 0 } caches && Path.IsPathRooted(caches)) return caches;
        return environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache") : null;
    }
}

/// <summary>
/// An entry's file: magic, key, checksum of what follows it, lengths of log and image, log, image. Any other byte anywhere makes it no entry.
/// </summary>
internal static class CubinEntry
{
    private const int ChecksumStart = 8 + CubinKey.HashBytes;
    private const int LengthsStart = ChecksumStart + SHA256.HashSizeInBytes;
    private const int BodyStart = LengthsStart + (2 * sizeof(int));

    private static ReadOnlySpan<byte> Magic => "xc2cub1\n"u8;

    public static byte[] Write(CubinKey key, CompiledKernel kernel)
    {
        byte[] log = Encoding.UTF8.GetBytes(kernel.Log);
        byte[] file = new byte[BodyStart + log.Length + kernel.Image.Length];
        Magic.CopyTo(file);
        key.Hash.CopyTo(file.AsSpan(Magic.Length));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(LengthsStart), log.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(LengthsStart + sizeof(int)), kernel.Image.Length);
        log.CopyTo(file, BodyStart);
        kernel.Image.Span.CopyTo(file.AsSpan(BodyStart + log.Length));
        SHA256.HashData(file.AsSpan(LengthsStart), file.AsSpan(ChecksumStart, SHA256.HashSizeInBytes));
        return file;
    }

    /// <summary>Null where the file is damaged or another's.</summary>
    public static CompiledKernel? Read(CubinKey key, byte[] file)
    {
        if (file.Length < BodyStart || !file.AsSpan().StartsWith(Magic)) return null;
        if (!key.Hash.SequenceEqual(file.AsSpan(Magic.Length, CubinKey.HashBytes))) return null;
        Span<byte> checksum = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(file.AsSpan(LengthsStart), checksum);
        if (!checksum.SequenceEqual(file.AsSpan(ChecksumStart, SHA256.HashSizeInBytes))) return null;
        // The checksum holds, so the lengths are those that were written.
        int logBytes = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(LengthsStart));
        return new CompiledKernel(file.AsMemory(BodyStart + logBytes), Encoding.UTF8.GetString(file, BodyStart, logBytes));
    }
}

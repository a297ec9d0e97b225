using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>Whether a file or folder of a cache may have been written by someone else: code that is taken from it runs with the user's rights.</summary>
internal static unsafe partial class FileTrust
{
    private const int CurrentFolder = -100, DoNotFollow = 0x100;
    private const uint WantsOwner = 0x8;
    private const int StatxBytes = 256, OwnerOffset = 20;
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Only its user may read and write it.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Why it is not trusted: a link, another's, or writable by others; null where it is. On Windows folders of a user's profile are that user's.</summary>
    public static string? Distrust(FileSystemInfo file)
    {
        if (file.LinkTarget is not null)
            return "is a link";
        if (OperatingSystem.IsWindows())
            return null;
        if (OwnerOf(file.FullName) is { } owner && owner != 0 && owner != EffectiveUser())
            return $"belongs to another user ({owner})";
        return (file.UnixFileMode & OthersWrite) != 0 ? "may be written by others" : null;
    }

    /// <summary>Null where the system does not say.</summary>
    private static uint? OwnerOf(string path)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        byte* facts = stackalloc byte[StatxBytes];
        try
        {
            return Statx(CurrentFolder, path, DoNotFollow, WantsOwner, facts) == 0 ? *(uint*)(facts + OwnerOffset) : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, byte* facts);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}

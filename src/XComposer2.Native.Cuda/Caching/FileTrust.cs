using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>Checks whether other users can write to a cached file or folder: cached code runs with the user's rights.</summary>
internal static unsafe partial class FileTrust
{
    private const int CurrentFolder = -100, DoNotFollow = 0x100;
    private const uint WantsOwner = 0x8;
    private const int StatxBytes = 256, OwnerOffset = 20;
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Permissions of private folders.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Reason for distrust: a link, another owner, or writable by others; null if trusted. Not checked on Windows, where the profile is private.</summary>
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

    /// <summary>Null if unknown.</summary>
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

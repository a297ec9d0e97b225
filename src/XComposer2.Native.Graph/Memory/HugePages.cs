using System.Runtime.InteropServices;

namespace XComposer2.Native.Graph;

/// <summary>
/// Host memory of weights that asks Linux for huge pages (2 MiB). A processor that streams weights translates an address every 4 KiB otherwise, and its
/// prefetcher stops there. Elsewhere, and where the system has none left, the memory is as useful and slower.
/// </summary>
public static unsafe partial class HugePages
{
    private const nuint PageBytes = 2 << 20;

    private const int MadviseHugePage = 14;

    /// <summary>Allocates memory that is not cleared; <see cref="NativeMemory.AlignedFree"/> frees it.</summary>
    /// <param name="bytes">At least one is allocated.</param>
    /// <param name="alignment">A power of two; blocks of several huge pages are aligned to these.</param>
    /// <exception cref="OutOfMemoryException">The system refuses.</exception>
    public static void* Allocate(long bytes, nuint alignment)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        nuint whole = (nuint)bytes / PageBytes * PageBytes;
        if (!OperatingSystem.IsLinux() || whole < 2 * PageBytes)
            return NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), alignment);
        void* data = NativeMemory.AlignedAlloc((nuint)bytes, Math.Max(alignment, PageBytes));

        // Only whole pages: the rest of the last one would be memory that nobody uses. A refusal leaves small pages.
        _ = Madvise(data, whole, MadviseHugePage);
        return data;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(void* address, nuint bytes, int advice);
}

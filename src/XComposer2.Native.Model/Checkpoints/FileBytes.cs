using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Model;

/// <summary>
/// The bytes of one file, mapped read-only: nothing is copied, pages are loaded on access.
/// Addresses stay valid until disposal. A file that another process truncates while it is mapped cannot be guarded against (SECURITY.md).
/// </summary>
public sealed unsafe class FileBytes : IDisposable
{
    private readonly MemoryMappedFile? file;
    private readonly MemoryMappedViewAccessor? view;
    private PinnedGCHandle<byte[]> pin;
    private byte* data;

    private FileBytes(string path, byte* data, long lengthBytes, MemoryMappedFile? file, MemoryMappedViewAccessor? view)
    {
        Path = path;
        LengthBytes = lengthBytes;
        this.data = data;
        this.file = file;
        this.view = view;
    }

    public string Path { get; }

    public long LengthBytes { get; }

    /// <summary>Maps a file.</summary>
    /// <exception cref="CheckpointException">It is absent, empty or unreadable.</exception>
    public static FileBytes Map(string path)
    {
        try
        {
            // Checked before opening: opening a named pipe would wait for its writer.
            FileInfo facts = new(path);
            if (facts.LinkTarget is { } target && facts.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true })
                throw new CheckpointException(path, "file", "content", $"a link to {CheckpointException.Show(target)}, which does not exist; download the file again");
            if ((facts.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? facts) is { Exists: true, Length: 0 })
                throw new CheckpointException(path, "file", "content", "0 bytes");
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            long lengthBytes = stream.Length;
            if (lengthBytes == 0)
                throw new CheckpointException(path, "file", "content", "0 bytes");
            MemoryMappedFile file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            try
            {
                MemoryMappedViewAccessor view = file.CreateViewAccessor(0, lengthBytes, MemoryMappedFileAccess.Read);
                byte* pointer = null;
                view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
                return new FileBytes(path, pointer + view.PointerOffset, lengthBytes, file, view);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new CheckpointException(path, "file", "a readable file", error.Message, error);
        }
    }

    /// <summary>A file that is already in memory: the array is pinned until disposal.</summary>
    /// <param name="content">The first bytes of it are the file.</param>
    /// <param name="length">How many of them.</param>
    /// <param name="name">Stands for the path in messages.</param>
    public static FileBytes FromArray(byte[] content, int length, string name)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)content.Length);
        if (length == 0)
            throw new CheckpointException(name, "file", "content", "0 bytes");
        PinnedGCHandle<byte[]> pin = new(content);
        return new FileBytes(name, pin.GetAddressOfArrayData(), length, null, null) { pin = pin };
    }

    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside of the file.</exception>
    public ReadOnlySpan<byte> Slice(long offsetBytes, int lengthBytes)
    {
        CheckRange(offsetBytes, lengthBytes);
        return new ReadOnlySpan<byte>(data + offsetBytes, lengthBytes);
    }

    /// <summary>Address of a range that lies wholly inside of the file.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside of the file.</exception>
    public nint Address(long offsetBytes, long lengthBytes)
    {
        CheckRange(offsetBytes, lengthBytes);
        return (nint)(data + offsetBytes);
    }

    public void Dispose()
    {
        if (data == null)
            return;
        data = null;
        view?.SafeMemoryMappedViewHandle.ReleasePointer();
        view?.Dispose();
        file?.Dispose();
        pin.Dispose();
    }

    /// <summary>All bytes of a small file.</summary>
    internal ReadOnlySpan<byte> Whole(int maximumBytes, string what)
    {
        if (LengthBytes > maximumBytes)
            throw new CheckpointException(Path, what, $"at most {maximumBytes} bytes", $"{LengthBytes} bytes");
        return Slice(0, (int)LengthBytes);
    }

    /// <summary>Rejects files left by a failed download or clone: a pointer, a web page, an error text.</summary>
    /// <param name="expected">Expected content, for the message.</param>
    /// <exception cref="CheckpointException">The file is one of them.</exception>
    internal void RefuseStandIn(string expected)
    {
        if (StandInFile.Describe(Slice(0, (int)Math.Min(LengthBytes, StandInFile.LookedAtBytes)), LengthBytes) is { } found)
            throw new CheckpointException(Path, "file", expected, found);
    }

    private void CheckRange(long offsetBytes, long lengthBytes)
    {
        ObjectDisposedException.ThrowIf(data == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBytes, LengthBytes - offsetBytes);
    }
}

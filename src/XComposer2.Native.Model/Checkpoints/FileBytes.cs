using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Model;

/// <summary>
/// The bytes of one file: mapped read-only, so that nothing is copied and pages are loaded on access, or read into memory. Addresses stay valid until disposal.
/// Access to a mapped page that another process has truncated ends this process; <see cref="RequireIntact"/> finds that out beforehand (SECURITY.md).
/// </summary>
public sealed unsafe class FileBytes : IDisposable
{
    private const int PieceBytes = 16 << 20;

    private readonly FileStream? stream;
    private readonly MemoryMappedFile? file;
    private readonly MemoryMappedViewAccessor? view;
    private readonly NativeBlock? block;
    private PinnedGCHandle<byte[]> pin;
    private byte* data;

    private FileBytes(string path, byte* data, long lengthBytes)
    {
        Path = path;
        LengthBytes = lengthBytes;
        this.data = data;
    }

    private FileBytes(string path, NativeBlock block)
        : this(path, (byte*)block.Address, block.LengthBytes) => this.block = block;

    private FileBytes(string path, FileStream stream, MemoryMappedFile file, MemoryMappedViewAccessor view, byte* start)
        : this(path, start + view.PointerOffset, stream.Length)
    {
        this.stream = stream;
        this.file = file;
        this.view = view;
    }

    public string Path { get; }

    public long LengthBytes { get; }

    /// <summary>Maps a file.</summary>
    /// <exception cref="CheckpointException">It is absent, empty or unreadable.</exception>
    public static FileBytes Map(string path) => Open(path, stream =>
    {
        long lengthBytes = stream.Length;
        MemoryMappedFile file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            MemoryMappedViewAccessor view = file.CreateViewAccessor(0, lengthBytes, MemoryMappedFileAccess.Read);
            byte* pointer = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
            return new FileBytes(path, stream, file, view, pointer);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    });

    /// <summary>Reads a file into memory: later changes of it have no effect.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maximumBytes">A longer file is refused before memory is allocated.</param>
    /// <param name="what">The content, for messages.</param>
    /// <param name="cancellation">Looked at every 16 MiB.</param>
    /// <exception cref="CheckpointException">It is absent, empty, unreadable, longer, or truncated while it is read.</exception>
    public static FileBytes Read(string path, long maximumBytes, string what, CancellationToken cancellation = default) => Open(path, stream =>
    {
        if (stream.Length > maximumBytes)
            throw new CheckpointException(path, what, $"at most {maximumBytes} bytes", $"{stream.Length} bytes");
        NativeBlock block = new(stream.Length);
        try
        {
            for (long done = 0; done < block.LengthBytes;)
            {
                cancellation.ThrowIfCancellationRequested();
                int read = RandomAccess.Read(stream.SafeFileHandle, new Span<byte>((byte*)block.Address + done, (int)Math.Min(PieceBytes, block.LengthBytes - done)), done);
                if (read == 0)
                    throw new CheckpointException(path, "file", $"{block.LengthBytes} bytes, as when it was opened", $"{done} bytes: it was truncated while it was read");
                done += read;
            }
            stream.Dispose();
            return new FileBytes(path, block);
        }
        catch
        {
            block.Dispose();
            throw;
        }
    });

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
        return new FileBytes(name, pin.GetAddressOfArrayData(), length) { pin = pin };
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
        stream?.Dispose();
        block?.Dispose();
        pin.Dispose();
    }

    /// <summary>Does nothing for a file that was read into memory.</summary>
    /// <exception cref="CheckpointException">A mapped file is shorter than when it was mapped.</exception>
    public void RequireIntact()
    {
        if (stream is not null && RandomAccess.GetLength(stream.SafeFileHandle) is var now && now < LengthBytes)
            throw new CheckpointException(Path, "file", $"{LengthBytes} bytes, as when it was opened", $"{now} bytes: it was truncated while in use; load the model again");
    }

    /// <summary>All bytes of a small file.</summary>
    internal ReadOnlySpan<byte> Whole(int maximumBytes = int.MaxValue, string what = "file")
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

    private static FileBytes Open(string path, Func<FileStream, FileBytes> read)
    {
        FileStream? stream = null;
        try
        {
            // Checked before opening: opening a named pipe would wait for its writer.
            FileInfo facts = new(path);
            if (facts.LinkTarget is { } target && facts.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true })
                throw new CheckpointException(path, "file", "content", $"a link to {CheckpointException.Show(target)}, which does not exist; download the file again");
            if ((facts.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? facts) is { Exists: true, Length: 0 })
                throw new CheckpointException(path, "file", "content", "0 bytes");
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            if (stream.Length == 0)
                throw new CheckpointException(path, "file", "content", "0 bytes");
            return read(stream);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            stream?.Dispose();
            throw new CheckpointException(path, "file", "a readable file", error.Message, error);
        }
        catch
        {
            stream?.Dispose();
            throw;
        }
    }

    private void CheckRange(long offsetBytes, long lengthBytes)
    {
        ObjectDisposedException.ThrowIf(data == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBytes, LengthBytes - offsetBytes);
    }
}

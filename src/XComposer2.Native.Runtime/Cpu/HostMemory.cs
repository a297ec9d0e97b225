using System.Runtime.InteropServices;

namespace XComposer2.Native.Runtime;

/// <summary>Owned host memory, 256-byte aligned, not cleared. The system gives pages only where they are touched.</summary>
internal sealed unsafe class HostMemory : IDisposable
{
    private const nuint Alignment = 256;

    private void* data;

    /// <exception cref="InsufficientMemoryException">The system refuses; the message says how much was asked and for what.</exception>
    public HostMemory(long bytes, string purpose)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        try
        {
            data = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Alignment);
        }
        catch (OutOfMemoryException error)
        {
            throw new InsufficientMemoryException($"the system has no {bytes} bytes of memory left for {purpose}", error);
        }
    }

    ~HostMemory() => Free();

    public long Bytes { get; }

    public byte* Start
    {
        get
        {
            ObjectDisposedException.ThrowIf(data is null, this);
            return (byte*)data;
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(data);
        data = null;
    }
}

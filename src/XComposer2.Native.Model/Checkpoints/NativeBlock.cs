using System.Runtime.InteropServices;

namespace XComposer2.Native.Model;

/// <summary>Owned native memory, 64-byte aligned, not cleared.</summary>
internal sealed unsafe class NativeBlock : IDisposable
{
    private void* data;

    public NativeBlock(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        LengthBytes = lengthBytes;
        try
        {
            data = NativeMemory.AlignedAlloc((nuint)Math.Max(lengthBytes, 1), 64);
        }
        catch (OutOfMemoryException error)
        {
            throw new InsufficientMemoryException($"the system has no {lengthBytes} bytes of memory left for weights", error);
        }
    }

    ~NativeBlock() => Free();

    public long LengthBytes { get; }

    public nint Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(data == null, this);
            return (nint)data;
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

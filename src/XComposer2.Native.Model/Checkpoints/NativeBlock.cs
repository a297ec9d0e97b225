using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Owned native memory, 64-byte aligned, not cleared, in huge pages where it is large.</summary>
internal sealed unsafe class NativeBlock : IDisposable
{
    private const nuint Alignment = 64;

    private void* data;

    public NativeBlock(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        LengthBytes = lengthBytes;
        try
        {
            data = HugePages.Allocate(lengthBytes, Alignment);
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

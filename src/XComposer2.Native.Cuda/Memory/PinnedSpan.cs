namespace XComposer2.Native.Cuda;

/// <summary>A run of bytes in page-locked host memory, which the device reads and writes while the host goes on. Does not own them.</summary>
public readonly unsafe struct PinnedSpan
{
    private readonly byte* start;

    internal PinnedSpan(byte* start, long lengthBytes)
    {
        this.start = start;
        LengthBytes = lengthBytes;
    }

    public long LengthBytes { get; }

    /// <summary>The host's address.</summary>
    public nint Address => (nint)start;

    /// <exception cref="ArgumentOutOfRangeException">The part is not inside.</exception>
    public PinnedSpan Slice(long offsetBytes, long lengthBytes)
    {
        SpanBounds.Check(LengthBytes, offsetBytes, lengthBytes);
        return new PinnedSpan(start + offsetBytes, lengthBytes);
    }

    /// <summary>The same bytes for the host, as whole elements.</summary>
    /// <exception cref="ArgumentException">The length is not a multiple of an element.</exception>
    /// <exception cref="OverflowException">There are more than 2^31 - 1 elements.</exception>
    public Span<T> AsSpan<T>()
        where T : unmanaged
    {
        if (LengthBytes % sizeof(T) != 0)
            throw new ArgumentException($"{LengthBytes} bytes are not whole elements of {sizeof(T)} bytes");
        return new Span<T>(start, checked((int)(LengthBytes / sizeof(T))));
    }
}

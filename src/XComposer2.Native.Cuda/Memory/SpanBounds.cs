namespace XComposer2.Native.Cuda;

internal static class SpanBounds
{
    /// <exception cref="ArgumentOutOfRangeException">The part is not inside of the whole.</exception>
    public static void Check(long wholeBytes, long offsetBytes, long lengthBytes)
    {
        if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes > wholeBytes - lengthBytes)
            throw new ArgumentOutOfRangeException(
                nameof(offsetBytes), $"{lengthBytes} bytes from {offsetBytes} on are not inside of {wholeBytes} bytes");
    }

    /// <exception cref="ArgumentException">The two sides of a copy differ in length.</exception>
    public static void CheckEqual(long destinationBytes, long sourceBytes)
    {
        if (destinationBytes != sourceBytes)
            throw new ArgumentException($"a copy of {sourceBytes} bytes into {destinationBytes} bytes");
    }
}

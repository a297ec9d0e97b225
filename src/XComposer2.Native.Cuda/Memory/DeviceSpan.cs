namespace XComposer2.Native.Cuda;

/// <summary>A run of bytes on the device. Does not own them.</summary>
public readonly record struct DeviceSpan(DevicePointer Pointer, long LengthBytes)
{
    /// <exception cref="ArgumentOutOfRangeException">The part is not inside.</exception>
    public DeviceSpan Slice(long offsetBytes, long lengthBytes)
    {
        SpanBounds.Check(LengthBytes, offsetBytes, lengthBytes);
        return new DeviceSpan(Pointer + offsetBytes, lengthBytes);
    }
}

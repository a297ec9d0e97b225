namespace XComposer2.Native.Model;

/// <summary>Context of one decoding operation.</summary>
/// <param name="Name">Name of the picture in messages.</param>
/// <param name="Width">Width, within the limits.</param>
/// <param name="Height">Height, within the limits.</param>
/// <param name="Limits">Limits of size and memory.</param>
/// <param name="Cancellation">Checked every few rows.</param>
internal readonly record struct ImageJob(string Name, int Width, int Height, ImageLimits Limits, CancellationToken Cancellation)
{
    /// <summary>Size of the decoded picture.</summary>
    public long PixelBytes => 3L * Width * Height;

    /// <exception cref="ImageException">The picture plus <paramref name="besideBytes"/> exceeds the memory limit.</exception>
    public void RequireMemory(long besideBytes)
    {
        if (PixelBytes + besideBytes > Limits.MaxMemoryBytes)
            throw Fault($"the picture is {Width} x {Height} and needs {PixelBytes + besideBytes} bytes of memory to decode, the limit is {Limits.MaxMemoryBytes}");
    }

    public ImageException Fault(string reason) => ImageException.For(Name, reason);
}

namespace XComposer2.Native.Model;

/// <summary>One picture that is being decoded: its stated size, what it may take, and who waits for it.</summary>
/// <param name="Name">What messages call the picture.</param>
/// <param name="Width">Columns, checked.</param>
/// <param name="Height">Rows, checked.</param>
/// <param name="Limits">Refused beyond these.</param>
/// <param name="Cancellation">Looked at for each few rows.</param>
internal readonly record struct ImageJob(string Name, int Width, int Height, ImageLimits Limits, CancellationToken Cancellation)
{
    /// <summary>Bytes of the decoded picture.</summary>
    public long PixelBytes => 3L * Width * Height;

    /// <exception cref="ImageException">The picture and <paramref name="besideBytes"/> more are over the limit on memory.</exception>
    public void RequireMemory(long besideBytes)
    {
        if (PixelBytes + besideBytes > Limits.MaxMemoryBytes)
            throw Fault($"the picture is {Width} x {Height} and needs {PixelBytes + besideBytes} bytes of memory to decode, the limit is {Limits.MaxMemoryBytes}");
    }

    public ImageException Fault(string reason) => ImageException.For(Name, reason);
}

namespace XComposer2.Native.Model;

/// <summary>Limits of a picture, checked before any allocation.</summary>
/// <param name="MaxPixels">Maximum width times height.</param>
/// <param name="MaxFileBytes">Maximum file size.</param>
/// <param name="MaxSide">Maximum width and height. A narrow strip within <paramref name="MaxPixels"/> would still be huge after the first resize pass.</param>
/// <param name="MaxMemoryBytes">Maximum memory of the decoded picture and the working buffers of its decoder.</param>
public readonly record struct ImageLimits(long MaxPixels, long MaxFileBytes, int MaxSide = 65_535, long MaxMemoryBytes = 1536L << 20)
{
    /// <summary>Pictures larger than <see cref="FreePixels"/> need at least one byte of file per this many pixels.</summary>
    internal const long PixelsPerByte = 8192;

    /// <summary>64 megapixels, 192 MiB decoded.</summary>
    internal const long FreePixels = 64L << 20;

    /// <summary>268 megapixels (phone cameras have up to 200), 256 MiB file size, 1.5 GiB memory.</summary>
    public static ImageLimits Default => new(1L << 28, 256L << 20);

    /// <exception cref="ImageException">The file is too large.</exception>
    internal void CheckFileBytes(long fileBytes, string name)
    {
        if (fileBytes > MaxFileBytes) throw ImageException.For(name, $"the file has {fileBytes} bytes, the limit is {MaxFileBytes}");
    }

    /// <exception cref="ImageException">The size exceeds a limit or is impossible for the file size.</exception>
    internal void CheckSize(ImageHeader header, long fileBytes, string name)
    {
        (long width, long height) = (header.Width, header.Height);
        if (width == 0 || height == 0) throw ImageException.For(name, $"the picture is {width} x {height}, at least 1 x 1 is expected");
        // Arrays are limited to 2^31 bytes.
        long maxPixels = Math.Min(MaxPixels, Array.MaxLength / 3);
        UInt128 pixels = (UInt128)width * (UInt128)height;
        if (pixels > (UInt128)maxPixels) throw ImageException.For(name, $"the picture is {width} x {height} = {pixels} pixels, the limit is {maxPixels}");
        if (Math.Max(width, height) > MaxSide) throw ImageException.For(name, $"the picture is {width} x {height}, the limit of a side is {MaxSide}");
        if (3 * width * height > MaxMemoryBytes)
            throw ImageException.For(name, $"the picture is {width} x {height} and needs {3 * width * height} bytes of memory, the limit is {MaxMemoryBytes}");
        if (width * height > FreePixels && width * height / PixelsPerByte > fileBytes)
            throw ImageException.For(name, $"the picture is {width} x {height}, which a file of {fileBytes} bytes cannot hold");
    }
}

/// <summary>A picture cannot be used. The message names file and reason and is fit for users.</summary>
public sealed class ImageException : XComposerException
{
    public ImageException(string message) : base(message) { }

    public ImageException(string message, Exception cause) : base(message, cause) { }

    internal static ImageException For(string name, string reason) => new($"{name}: {reason}");
}

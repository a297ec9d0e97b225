namespace XComposer2.Native.Model;

/// <summary>What a picture may ask for before anything is allocated for it.</summary>
/// <param name="MaxPixels">Width times height, as the file's header states them.</param>
/// <param name="MaxFileBytes">Size of the encoded file.</param>
/// <param name="MaxSide">Width and height each: a ribbon within <paramref name="MaxPixels"/> would still be huge after the first pass of a resize.</param>
/// <param name="MaxMemoryBytes">The decoded picture, and what decoding it keeps beside it.</param>
public readonly record struct ImageLimits(long MaxPixels, long MaxFileBytes, int MaxSide = 65_535, long MaxMemoryBytes = 1536L << 20)
{
    /// <summary>A larger picture must have a byte for each so many pixels; a smaller one may be as empty as it likes.</summary>
    internal const long PixelsPerByte = 8192;

    /// <summary>See <see cref="PixelsPerByte"/>: 192 MiB decoded.</summary>
    internal const long FreePixels = 64L << 20;

    /// <summary>268 megapixels (cameras of phones have up to 200), 256 MiB of file, 1.5 GiB of memory.</summary>
    public static ImageLimits Default => new(1L << 28, 256L << 20);

    /// <exception cref="ImageException">The file is too large.</exception>
    internal void CheckFileBytes(long fileBytes, string name)
    {
        if (fileBytes > MaxFileBytes) throw ImageException.For(name, $"the file has {fileBytes} bytes, the limit is {MaxFileBytes}");
    }

    /// <exception cref="ImageException">The stated size is over a limit, or cannot be that of so small a file.</exception>
    internal void CheckSize(ImageHeader header, long fileBytes, string name)
    {
        (long width, long height) = (header.Width, header.Height);
        if (width == 0 || height == 0) throw ImageException.For(name, $"the picture is {width} x {height}, at least 1 x 1 is expected");
        // An array holds at most 2^31 bytes, whatever the caller allows.
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

/// <summary>A picture that cannot be used. The message names the file and the reason, for the user as it stands.</summary>
public sealed class ImageException : XComposerException
{
    public ImageException(string message) : base(message) { }

    public ImageException(string message, Exception cause) : base(message, cause) { }

    internal static ImageException For(string name, string reason) => new($"{name}: {reason}");
}

namespace XComposer2.Native.Model;

/// <summary>
/// Turns PNG, JPEG, BMP and GIF files into <see cref="RgbImage"/> as the original preprocessing does: alpha is dropped (not composited),
/// palettes and gray are expanded, the first frame of a GIF is taken, a rotation noted in EXIF is ignored.
/// 16-bit samples keep their high byte (Pillow clips 16-bit gray to 255 instead, which leaves a white picture).
/// Every failure is an <see cref="ImageException"/>.
/// </summary>
public static class ImageDecoder
{
    /// <summary>Decodes a picture file.</summary>
    public static RgbImage DecodeFile(string path, ImageLimits limits)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] bytes;
        try
        {
            if (Directory.Exists(path)) throw ImageException.For(path, "is a folder, not a picture");
            if (!Path.Exists(path)) throw ImageException.For(path, "no such file");
            FileInfo named = new(path);
            // Asked of the name, not of the opened file: opening a named pipe would wait for its writer for ever, and a device never ends.
            FileInfo file = named.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? named;
            if (file.Length == 0) throw ImageException.For(path, "the file is empty");
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            CheckFileBytes(stream.Length, path, limits);
            bytes = GC.AllocateUninitializedArray<byte>((int)Math.Min(stream.Length, Array.MaxLength));
            stream.ReadExactly(bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new ImageException($"{path}: cannot be read: {error.Message}", error);
        }
        return Decode(bytes, path, limits);
    }

    /// <summary>Decodes a picture in memory.</summary>
    /// <param name="bytes">The whole encoded file.</param>
    /// <param name="name">What messages call the picture.</param>
    /// <param name="limits">Refused beyond these, before anything is allocated.</param>
    public static RgbImage Decode(ReadOnlyMemory<byte> bytes, string name, ImageLimits limits)
    {
        ArgumentNullException.ThrowIfNull(name);
        CheckFileBytes(bytes.Length, name, limits);
        ImageHeader header = ImageHeader.Read(bytes.Span, name);
        CheckSize(header, name, limits);
        int width = (int)header.Width;
        int height = (int)header.Height;
        try
        {
            return header.Format switch
            {
                ImageFormat.Png => PngDecoder.Decode(bytes, width, height, name),
                ImageFormat.Gif => GifDecoder.Decode(bytes.Span, width, height, name),
                ImageFormat.Bmp => BmpDecoder.Decode(bytes.Span, width, height, name),
                _ => JpegDecoder.Decode(bytes, width, height, name),
            };
        }
        catch (Exception error) when (error is IndexOutOfRangeException or ArgumentException or OverflowException)
        {
            // No damage is known that ends here; if one is found, its finder still gets a sentence and the fuzz test its cause.
            throw new ImageException($"{name}: the picture is damaged in an unforeseen way ({error.Message})", error);
        }
    }

    private static void CheckFileBytes(long fileBytes, string name, ImageLimits limits)
    {
        if (fileBytes > limits.MaxFileBytes)
            throw ImageException.For(name, $"the file has {fileBytes} bytes, the limit is {limits.MaxFileBytes}");
    }

    private static void CheckSize(ImageHeader header, string name, ImageLimits limits)
    {
        if (header.Width == 0 || header.Height == 0)
            throw ImageException.For(name, $"the picture is {header.Width} x {header.Height}, at least 1 x 1 is expected");
        // An array holds at most 2^31 bytes, whatever the caller allows.
        long maxPixels = Math.Min(limits.MaxPixels, Array.MaxLength / 3);
        if ((UInt128)header.Width * (UInt128)header.Height > (UInt128)maxPixels)
            throw ImageException.For(name, $"the picture is {header.Width} x {header.Height} = {(UInt128)header.Width * (UInt128)header.Height} pixels, the limit is {maxPixels}");
        if (Math.Max(header.Width, header.Height) > limits.MaxSide)
            throw ImageException.For(name, $"the picture is {header.Width} x {header.Height}, the limit of a side is {limits.MaxSide}");
    }
}

/// <summary>The encodings that <see cref="ImageDecoder"/> reads.</summary>
public enum ImageFormat
{
    Png,
    Jpeg,
    Bmp,
    Gif,
}

/// <summary>What a picture may ask for before anything is allocated for it.</summary>
/// <param name="MaxPixels">Width times height, as the file's header states them.</param>
/// <param name="MaxFileBytes">Size of the encoded file.</param>
/// <param name="MaxSide">Width and height each: a ribbon within <paramref name="MaxPixels"/> would still be huge after the first pass of a resize.</param>
public readonly record struct ImageLimits(long MaxPixels, long MaxFileBytes, int MaxSide = 65_535)
{
    /// <summary>100 megapixels and 256 MiB: beyond any camera's photo, 300 MB decoded.</summary>
    public static ImageLimits Default => new(100_000_000, 256L << 20);
}

/// <summary>A picture that cannot be used. The message names the file and the reason, for the user as it stands.</summary>
public sealed class ImageException : XComposerException
{
    public ImageException(string message) : base(message) { }

    public ImageException(string message, Exception cause) : base(message, cause) { }

    internal static ImageException For(string name, string reason) => new($"{name}: {reason}");
}

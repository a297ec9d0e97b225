namespace XComposer2.Native.Model;

/// <summary>
/// Turns PNG, JPEG, WebP, GIF, BMP and TIFF files into <see cref="RgbImage"/> as the original preprocessing does: alpha is dropped (not
/// composited), palettes and gray are expanded, the first frame or page is taken. 16-bit samples keep their high byte (Pillow clips 16-bit gray to
/// 255 instead, which leaves a white picture). Every failure is an <see cref="ImageException"/>.
/// </summary>
public static class ImageDecoder
{
    /// <summary>Decodes a picture file.</summary>
    /// <inheritdoc cref="Decode"/>
    public static RgbImage DecodeFile(string path, ImageLimits limits, ExifOrientation orientation = ExifOrientation.Ignore, CancellationToken cancellation = default) =>
        Decode(ImageFile.Read(path, limits), path, limits, orientation, cancellation);

    /// <summary>Decodes a picture in memory.</summary>
    /// <param name="bytes">The whole encoded file.</param>
    /// <param name="name">What messages call the picture.</param>
    /// <param name="limits">Refused beyond these, before anything is allocated.</param>
    /// <param name="orientation">Whether the picture is turned as its EXIF data says. The original ignores them.</param>
    /// <param name="cancellation">Obeyed within a fraction of a second.</param>
    public static RgbImage Decode(
        ReadOnlyMemory<byte> bytes, string name, ImageLimits limits, ExifOrientation orientation = ExifOrientation.Ignore, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        limits.CheckFileBytes(bytes.Length, name);
        ImageHeader header = ImageHeader.Read(bytes, name);
        limits.CheckSize(header, bytes.Length, name);
        cancellation.ThrowIfCancellationRequested();
        ImageJob job = new(name, (int)header.Width, (int)header.Height, limits, cancellation);
        RgbImage image;
        try
        {
            image = header.Format switch
            {
                ImageFormat.Png => PngDecoder.Decode(bytes, job),
                ImageFormat.Gif => GifDecoder.Decode(bytes.Span, job),
                ImageFormat.Bmp => BmpDecoder.Decode(bytes.Span, job),
                ImageFormat.WebP => WebPDecoder.Decode(bytes, job),
                ImageFormat.Tiff => TiffDecoder.Decode(bytes, job),
                _ => JpegDecoder.Decode(bytes.Span, job),
            };
        }
        catch (Exception error) when (error is IndexOutOfRangeException or ArgumentException or OverflowException)
        {
            // No damage is known that ends here; if one is found, the user still gets a sentence and the fuzz test its cause.
            throw new ImageException($"{name}: the picture is damaged in an unforeseen way ({error.Message})", error);
        }
        return orientation == ExifOrientation.Apply ? ImageOrientation.Apply(image, ImageOrientation.Read(bytes, header.Format)) : image;
    }
}

/// <summary>The encodings that <see cref="ImageDecoder"/> reads.</summary>
public enum ImageFormat
{
    Png,
    Jpeg,
    Bmp,
    Gif,
    WebP,
    Tiff,
}

/// <summary>What happens to an orientation that a camera noted in a picture's EXIF data.</summary>
public enum ExifOrientation
{
    /// <summary>The pixels stay as they are stored; what the original does.</summary>
    Ignore,

    /// <summary>The picture is turned upright.</summary>
    Apply,
}

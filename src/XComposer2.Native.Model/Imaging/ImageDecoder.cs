namespace XComposer2.Native.Model;

/// <summary>
/// Decodes PNG, JPEG, WebP, GIF, BMP and TIFF files into <see cref="RgbImage"/> as the original preprocessing does: alpha is dropped (not
/// composited), palettes and gray are expanded, only the first frame or page is decoded. 16-bit samples keep their high byte (Pillow clips 16-bit gray to
/// 255, which gives a white picture). Every failure is an <see cref="ImageException"/>.
/// </summary>
public static class ImageDecoder
{
    /// <summary>Decodes a picture file.</summary>
    /// <inheritdoc cref="Decode"/>
    public static RgbImage DecodeFile(string path, ImageLimits limits, ExifOrientation orientation = ExifOrientation.Ignore, CancellationToken cancellation = default) =>
        Decode(ImageFile.Read(path, limits), path, limits, orientation, cancellation);

    /// <summary>Decodes a picture in memory.</summary>
    /// <param name="bytes">The whole encoded file.</param>
    /// <param name="name">Name of the picture in messages.</param>
    /// <param name="limits">Checked before any allocation.</param>
    /// <param name="orientation">Whether the EXIF orientation is applied. The original ignores it.</param>
    /// <param name="cancellation">Checked every few rows.</param>
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
            // Not known to happen. The user gets a message, and the fuzz test reports the cause.
            throw new ImageException($"{name}: the picture is damaged in an unforeseen way ({error.Message})", error);
        }
        return orientation == ExifOrientation.Apply ? ImageOrientation.Apply(image, ImageOrientation.Read(bytes, header.Format)) : image;
    }
}

/// <summary>Supported formats.</summary>
public enum ImageFormat
{
    Png,
    Jpeg,
    Bmp,
    Gif,
    WebP,
    Tiff,
}

/// <summary>Handling of the EXIF orientation.</summary>
public enum ExifOrientation
{
    /// <summary>Pixels are returned as stored, as in the original.</summary>
    Ignore,

    /// <summary>The picture is rotated upright.</summary>
    Apply,
}

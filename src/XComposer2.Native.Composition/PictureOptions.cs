using XComposer2.Native.Model;

namespace XComposer2.Native.Composition;

/// <summary>How an article stores its pictures.</summary>
public sealed record PictureOptions
{
    /// <summary>Twice the width of the page's column, for displays with two pixels per CSS pixel.</summary>
    public const int DefaultSide = 1600;

    /// <summary>Range of <see cref="MaximumSide"/>.</summary>
    public const int SmallestSide = 64, LargestSide = 16_384;

    /// <summary>1600 pixels, no metadata.</summary>
    public static PictureOptions Default { get; } = new();

    /// <summary>Longest side in pixels; larger pictures are scaled down.</summary>
    public int MaximumSide { get; init; } = DefaultSide;

    /// <summary>Stores the files unchanged, with their size and metadata, including the GPS position of photographs.</summary>
    public bool KeepOriginals { get; init; }

    /// <exception cref="EngineException">A value is out of range.</exception>
    internal void Require() =>
        EngineException.ThrowUnless(MaximumSide is >= SmallestSide and <= LargestSide, "picture size", $"{SmallestSide} to {LargestSide}", MaximumSide);
}

/// <summary>Makes the file that an article stores from the file of a user or source: decodable, upright, scaled, without metadata.</summary>
internal static class PicturePreparation
{
    /// <summary>A larger PNG becomes a JPEG if that is much smaller.</summary>
    private const int LargePngBytes = 1 << 20;

    private const int MuchSmaller = 4;

    /// <returns>The file and its format. Without a reason to change it, only metadata is removed.</returns>
    /// <exception cref="ImageException">The file is damaged, too large or not a picture.</exception>
    public static (ReadOnlyMemory<byte> Bytes, ImageFormat Format) Run(ReadOnlyMemory<byte> bytes, string name, ExifOrientation orientation, PictureOptions options)
    {
        options.Require();
        // Decoded once in any case, so that damage is found before any later step.
        RgbImage image = ImageDecoder.Decode(bytes, name, ImageLimits.Default, orientation);
        ImageFormat format = ImageHeader.Read(bytes, name).Format;
        bool isTurned = ImageHeader.IsTurned(bytes, name);
        if (options.KeepOriginals)
        {
            // Browsers do not show TIFF, and rotate a picture even if its orientation is to be ignored.
            bool mustChange = format == ImageFormat.Tiff || (isTurned && orientation == ExifOrientation.Ignore);
            return mustChange ? (PngEncoder.Encode(image), ImageFormat.Png) : (bytes, format);
        }

        bool isScaled = Math.Max(image.Width, image.Height) > options.MaximumSide && !KeepsSize(bytes, format);
        if (!isScaled && !(isTurned && orientation == ExifOrientation.Apply) && ImageMetadata.Remove(bytes, format) is { } stripped)
            return (stripped, format);
        RgbImage? alpha = ImageMetadata.DecodeAlpha(bytes, name, ImageLimits.Default, orientation);
        if (alpha is not null && alpha.Pixels.Span.IndexOfAnyExcept(byte.MaxValue) < 0)
            alpha = null;
        if (isScaled)
            (image, alpha) = Scale(image, alpha, options.MaximumSide);
        return Encode(image, alpha, ImageMetadata.IsLossless(bytes, format), ImageMetadata.ColorProfile(bytes, format));
    }

    /// <summary>Whether a stored picture fulfils the options. Its pixels are not decoded.</summary>
    public static bool IsPrepared(ArticlePicture picture, PictureOptions options)
    {
        if (options.KeepOriginals)
            return true;
        ImageHeader header = ImageHeader.Read(picture.Bytes, picture.Name);
        return (Math.Max(header.Width, header.Height) <= options.MaximumSide || KeepsSize(picture.Bytes, header.Format))
            && ImageMetadata.Remove(picture.Bytes, header.Format) is { } stripped && picture.Bytes.Span.SequenceEqual(stripped);
    }

    /// <summary>Animations, and transparent pictures whose alpha channel is not decoded.</summary>
    private static bool KeepsSize(ReadOnlyMemory<byte> bytes, ImageFormat format) =>
        ImageMetadata.IsAnimated(bytes, format) || (format is ImageFormat.WebP or ImageFormat.Gif && ImageMetadata.HasAlpha(bytes, format));

    private static (RgbImage Image, RgbImage? Alpha) Scale(RgbImage image, RgbImage? alpha, int side)
    {
        double factor = (double)side / Math.Max(image.Width, image.Height);
        int width = Math.Max(1, (int)Math.Round(image.Width * factor)), height = Math.Max(1, (int)Math.Round(image.Height * factor));
        if (alpha is null)
            return (PillowResize.Bicubic(image, width, height), null);
        // Weighted by opacity, so that the colour of invisible pixels does not show at edges.
        RgbImage small = PillowResize.Bicubic(Weighted(image, alpha), width, height), opacity = PillowResize.Bicubic(alpha, width, height);
        byte[] pixels = small.Pixels.ToArray();
        for (int index = 0; index < pixels.Length; index++)
            pixels[index] = (byte)Math.Min(255, pixels[index] * 255 / Math.Max(1, (int)opacity.Pixels.Span[index]));
        return (new RgbImage(width, height, pixels), opacity);
    }

    private static RgbImage Weighted(RgbImage image, RgbImage alpha)
    {
        byte[] pixels = image.Pixels.ToArray();
        ReadOnlySpan<byte> opacity = alpha.Pixels.Span;
        for (int index = 0; index < pixels.Length; index++)
            pixels[index] = (byte)(pixels[index] * opacity[index] / 255);
        return new RgbImage(image.Width, image.Height, pixels);
    }

    private static (ReadOnlyMemory<byte> Bytes, ImageFormat Format) Encode(RgbImage image, RgbImage? alpha, bool isLossless, ReadOnlyMemory<byte> profile)
    {
        if (alpha is not null)
            return (PngEncoder.Encode(image, alpha, profile), ImageFormat.Png);
        if (!isLossless)
            return (JpegEncoder.Encode(image, profile: profile), ImageFormat.Jpeg);
        byte[] png = PngEncoder.Encode(image, profile: profile);
        if (png.Length <= LargePngBytes)
            return (png, ImageFormat.Png);
        byte[] jpeg = JpegEncoder.Encode(image, profile: profile);
        return jpeg.Length * MuchSmaller < png.Length ? (jpeg, ImageFormat.Jpeg) : (png, ImageFormat.Png);
    }
}

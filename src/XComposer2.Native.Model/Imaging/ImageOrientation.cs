namespace XComposer2.Native.Model;

/// <summary>EXIF orientation: 1 is upright, 2 to 8 are the other rotations and mirrorings.</summary>
internal static class ImageOrientation
{
    public const int Upright = 1;
    private const int OrientationTag = 274;

    /// <summary>The orientation of the file; <see cref="Upright"/> if missing or invalid.</summary>
    public static int Read(ReadOnlyMemory<byte> file, ImageFormat format)
    {
        ReadOnlyMemory<byte> exif = format switch
        {
            ImageFormat.Jpeg => OfJpeg(file),
            ImageFormat.Png => OfPng(file),
            ImageFormat.WebP => WebPContainer.Exif(file),
            ImageFormat.Tiff => file,
            _ => default,
        };
        long stated = TiffDirectory.Read(exif)?.Number(OrientationTag, Upright) ?? Upright;
        return stated is >= 1 and <= 8 ? (int)stated : Upright;
    }

    /// <summary>Whether width and height are swapped.</summary>
    public static bool SwapsSides(int orientation) => orientation >= 5;

    /// <returns>A new picture, or <paramref name="image"/> itself if it is upright.</returns>
    public static RgbImage Apply(RgbImage image, int orientation)
    {
        if (orientation == Upright) return image;
        (int width, int height) = SwapsSides(orientation) ? (image.Height, image.Width) : (image.Width, image.Height);
        byte[] turned = GC.AllocateUninitializedArray<byte>(3 * width * height);
        ReadOnlySpan<byte> source = image.Pixels.Span;
        // Byte steps in the stored picture along a row and between rows of the upright picture.
        (long start, long alongRow, long downRows) = Walk(image, orientation);
        for (int row = 0, target = 0; row < height; row++)
        {
            long position = start + row * downRows;
            for (int column = 0; column < width; column++, target += 3, position += alongRow)
                source.Slice((int)position, 3).CopyTo(turned.AsSpan(target));
        }
        return new RgbImage(width, height, turned);
    }

    private static (long Start, long AlongRow, long DownRows) Walk(RgbImage image, int orientation)
    {
        long pixel = 3, row = 3L * image.Width, lastColumn = row - pixel, lastRow = (image.Height - 1) * row;
        return orientation switch
        {
            2 => (lastColumn, -pixel, row),
            3 => (lastRow + lastColumn, -pixel, -row),
            4 => (lastRow, pixel, -row),
            5 => (0, row, pixel),
            6 => (lastRow, -row, pixel),
            7 => (lastRow + lastColumn, -row, -pixel),
            _ => (lastColumn, row, -pixel),
        };
    }

    private static ReadOnlyMemory<byte> OfJpeg(ReadOnlyMemory<byte> file)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        int position = 2;
        while (true)
        {
            int marker = JpegMarker.Next(bytes, ref position);
            if (marker is < 0 or JpegMarker.End or JpegMarker.Scan) return default;
            if (JpegMarker.IsAlone(marker)) continue;
            ReadOnlySpan<byte> segment = JpegMarker.Segment(bytes, ref position, out bool isWhole);
            if (!isWhole) return default;
            if (marker == JpegMarker.Exif && segment.StartsWith("Exif\0\0"u8)) return file.Slice(position - segment.Length + 6, segment.Length - 6);
        }
    }

    private static ReadOnlyMemory<byte> OfPng(ReadOnlyMemory<byte> file)
    {
        foreach (PngChunk chunk in PngChunk.Of(file))
            if (chunk.Kind.Span.SequenceEqual("eXIf"u8)) return chunk.Content;
        return default;
    }
}

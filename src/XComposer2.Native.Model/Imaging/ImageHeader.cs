using System.Buffers.Binary;
using System.Text;

namespace XComposer2.Native.Model;

/// <summary>Format and size from the header of a picture file.</summary>
/// <param name="Format">Detected from the first bytes, not from the file name.</param>
/// <param name="Width">Stored width, not negative.</param>
/// <param name="Height">Stored height, not negative.</param>
public readonly record struct ImageHeader(ImageFormat Format, long Width, long Height)
{
    private const int PngHeaderBytes = 33;
    private const int BmpHeaderBytes = 26;
    private const int GifHeaderBytes = 13;

    /// <summary>Reads the header.</summary>
    /// <exception cref="ImageException">Unknown format or truncated header.</exception>
    public static ImageHeader Read(ReadOnlyMemory<byte> file, string name)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        if (bytes.IsEmpty) throw ImageException.For(name, "the file is empty");
        if (bytes.StartsWith<byte>([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])) return ReadPng(bytes, name);
        if (bytes.StartsWith<byte>([0xFF, 0xD8, 0xFF])) return ReadJpeg(bytes, name);
        if (bytes.StartsWith("GIF87a"u8) || bytes.StartsWith("GIF89a"u8)) return ReadGif(bytes, name);
        if (bytes.StartsWith("BM"u8)) return ReadBmp(bytes, name);
        if (WebPContainer.IsWebP(bytes)) return ReadWebP(file, name);
        if (TiffDirectory.IsTiff(bytes)) return ReadTiff(file, name);
        if (ForeignFormat.Name(bytes) is { } known) throw ImageException.For(name, $"is {known}, which is not read; convert it to PNG or JPEG");
        throw ImageException.For(name, $"not a picture: expected PNG, JPEG, WebP, GIF, BMP or TIFF; found bytes {Describe(bytes)}");
    }

    /// <summary>Reads the header with the size after the EXIF orientation.</summary>
    /// <exception cref="ImageException">As for <see cref="Read"/>.</exception>
    public static ImageHeader ReadUpright(ReadOnlyMemory<byte> file, string name)
    {
        ImageHeader stored = Read(file, name);
        return ImageOrientation.SwapsSides(ImageOrientation.Read(file, stored.Format)) ? new(stored.Format, stored.Height, stored.Width) : stored;
    }

    /// <summary>Whether the EXIF orientation rotates or mirrors the picture.</summary>
    /// <exception cref="ImageException">As for <see cref="Read"/>.</exception>
    public static bool IsTurned(ReadOnlyMemory<byte> file, string name) => ImageOrientation.Read(file, Read(file, name).Format) != ImageOrientation.Upright;

    private static ImageHeader ReadPng(ReadOnlySpan<byte> bytes, string name)
    {
        RequireLength(bytes, PngHeaderBytes, "PNG", name);
        if (!bytes.Slice(12, 4).SequenceEqual("IHDR"u8))
            throw ImageException.For(name, $"PNG: expected the IHDR chunk first, found bytes {Describe(bytes.Slice(12, 4))}");
        return new(ImageFormat.Png, BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[20..]));
    }

    private static ImageHeader ReadGif(ReadOnlySpan<byte> bytes, string name)
    {
        RequireLength(bytes, GifHeaderBytes, "GIF", name);
        (int width, int height) = GifDecoder.ReadSize(bytes, name);
        return new(ImageFormat.Gif, width, height);
    }

    private static ImageHeader ReadBmp(ReadOnlySpan<byte> bytes, string name)
    {
        RequireLength(bytes, BmpHeaderBytes, "BMP", name);
        uint headerBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[14..]);
        if (headerBytes == 12)
            return new(ImageFormat.Bmp, BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[20..]));
        if (headerBytes < 40) throw ImageException.For(name, $"BMP: a header of {headerBytes} bytes is not known (12, or 40 and more)");
        int width = BinaryPrimitives.ReadInt32LittleEndian(bytes[18..]);
        int height = BinaryPrimitives.ReadInt32LittleEndian(bytes[22..]);
        if (width < 0) throw ImageException.For(name, $"BMP: the width is {width}");
        // A negative height means top-down row order.
        return new(ImageFormat.Bmp, width, Math.Abs((long)height));
    }

    private static ImageHeader ReadJpeg(ReadOnlySpan<byte> bytes, string name)
    {
        int position = 2;
        while (true)
        {
            int marker = JpegMarker.Next(bytes, ref position);
            if (marker < 0) throw ImageException.For(name, "JPEG: the file ends before its frame header");
            if (JpegMarker.IsAlone(marker)) continue;
            if (marker is JpegMarker.End or JpegMarker.Scan) throw ImageException.For(name, "JPEG: no frame header before the picture data");
            ReadOnlySpan<byte> segment = JpegMarker.Segment(bytes, ref position, out bool isWhole);
            if (!isWhole) throw ImageException.For(name, $"JPEG: the file is cut off before its frame header (the segment at byte {position} ends behind the file)");
            if (!JpegMarker.IsFrame(marker)) continue;
            if (segment.Length < 6) throw ImageException.For(name, $"JPEG: a frame header of {segment.Length} bytes");
            return new(ImageFormat.Jpeg, BinaryPrimitives.ReadUInt16BigEndian(segment[3..]), BinaryPrimitives.ReadUInt16BigEndian(segment[1..]));
        }
    }

    private static ImageHeader ReadWebP(ReadOnlyMemory<byte> file, string name)
    {
        (WebPContainer container, string? fault) = WebPContainer.Read(file);
        if (fault is not null) throw ImageException.For(name, $"WebP: {fault}");
        return new(ImageFormat.WebP, container.Width, container.Height);
    }

    private static ImageHeader ReadTiff(ReadOnlyMemory<byte> file, string name)
    {
        TiffDirectory tags = TiffDirectory.Read(file) ?? throw ImageException.For(name, "TIFF: the file is cut off: no directory of tags");
        return new(ImageFormat.Tiff, Math.Max(tags.Number(256, 0), 0), Math.Max(tags.Number(257, 0), 0));
    }

    private static void RequireLength(ReadOnlySpan<byte> bytes, int neededBytes, string format, string name)
    {
        if (bytes.Length < neededBytes)
            throw ImageException.For(name, $"{format}: the file ends within its header ({bytes.Length} bytes, at least {neededBytes} expected)");
    }

    private static string Describe(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        foreach (byte value in bytes[..Math.Min(8, bytes.Length)]) text.Append(text.Length == 0 ? "" : " ").Append(value.ToString("X2", null));
        return text.ToString();
    }
}

/// <summary>Detects unsupported formats for the error message.</summary>
internal static class ForeignFormat
{
    /// <summary>Name with article; null if unknown.</summary>
    public static string? Name(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= 12 && bytes.Slice(4, 4).SequenceEqual("ftyp"u8))
        {
            ReadOnlySpan<byte> brand = bytes.Slice(8, 4);
            if (brand.StartsWith("avi"u8)) return "an AVIF picture";
            return brand.StartsWith("he"u8) || brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8) ? "a HEIC picture" : "a video (MP4)";
        }
        if (bytes.StartsWith<byte>([0xFF, 0x0A]) || bytes.StartsWith("\0\0\0\fJXL "u8)) return "a JPEG XL picture";
        if (bytes.StartsWith("\0\0\0\fjP  "u8) || bytes.StartsWith<byte>([0xFF, 0x4F, 0xFF, 0x51])) return "a JPEG 2000 picture";
        if (bytes.StartsWith("8BPS"u8)) return "a Photoshop document";
        if (bytes.StartsWith("\0\0\x01\0"u8) || bytes.StartsWith("\0\0\x02\0"u8)) return "an icon (ICO)";
        if (bytes.StartsWith("%PDF"u8)) return "a PDF document";
        if (bytes.StartsWith("version https://git-lfs"u8)) return "a pointer of Git LFS, not the file itself";
        if (bytes.Length > 3 && bytes[0] == 'P' && bytes[1] is >= (byte)'1' and <= (byte)'7' && bytes[2] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') return "a PNM picture";
        ReadOnlySpan<byte> text = bytes.TrimStart("\uFEFF \t\r\n"u8);
        if (text.StartsWith("<svg"u8) || text.StartsWith("<?xml"u8)) return "an SVG drawing or other XML";
        return text.StartsWith("<!DOCTYPE"u8) || text.StartsWith("<!doctype"u8) || text.StartsWith("<html"u8) ? "a web page" : null;
    }
}

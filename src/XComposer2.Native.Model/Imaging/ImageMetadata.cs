using System.Buffers.Binary;
using System.IO.Compression;

namespace XComposer2.Native.Model;

/// <summary>
/// Removes metadata from picture files without re-encoding: everything that does not affect how the picture is shown, such as EXIF with its GPS position,
/// XMP, IPTC, comments, thumbnails, times, and bytes behind the picture. Colour information and animations are kept.
/// </summary>
public static class ImageMetadata
{
    private const int MaximumProfileBytes = 1 << 20;
    private const int ProfileHeaderBytes = 128;

    /// <param name="file">A file that <see cref="ImageDecoder"/> reads.</param>
    /// <param name="format">Its format.</param>
    /// <returns>The file without metadata; null if the format or the file requires re-encoding.</returns>
    public static byte[]? Remove(ReadOnlyMemory<byte> file, ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => OfJpeg(file.Span),
        ImageFormat.Png => OfPng(file),
        ImageFormat.Gif => OfGif(file.Span),
        ImageFormat.WebP => OfWebP(file),
        _ => null,
    };

    /// <summary>Whether the file has more than one frame.</summary>
    public static bool IsAnimated(ReadOnlyMemory<byte> file, ImageFormat format) => format switch
    {
        ImageFormat.Png => PngChunk.Of(file).Any(chunk => chunk.Kind.Span.SequenceEqual("acTL"u8)),
        ImageFormat.WebP => WebPContainer.Chunks(file[12..]).Any(chunk => chunk.Kind.Span.SequenceEqual("ANIM"u8)),
        ImageFormat.Gif => GifFrames(file.Span) > 1,
        _ => false,
    };

    /// <summary>Whether pixels may be transparent by the file's header. GIF: whether any frame has a transparent colour.</summary>
    public static bool HasAlpha(ReadOnlyMemory<byte> file, ImageFormat format) => format switch
    {
        ImageFormat.Png => file.Span[25] is 4 or 6 || PngChunk.Of(file).Any(chunk => chunk.Kind.Span.SequenceEqual("tRNS"u8)),
        ImageFormat.WebP => WebPContainer.Chunks(file[12..]).Any(chunk => HasWebPAlpha(chunk.Kind.Span, chunk.Content.Span)),
        ImageFormat.Gif => file.Span.IndexOf<byte>([0x21, 0xF9, 4]) is >= 0 and int control && control + 3 < file.Length && (file.Span[control + 3] & 1) != 0,
        _ => false,
    };

    /// <summary>The opacity of each pixel of a PNG, in all three channels; null if its header states that it is opaque, and for other formats.</summary>
    /// <exception cref="ImageException">As for <see cref="ImageDecoder.Decode"/>.</exception>
    public static RgbImage? DecodeAlpha(ReadOnlyMemory<byte> file, string name, ImageLimits limits, ExifOrientation orientation)
    {
        ImageHeader header = ImageHeader.Read(file, name);
        limits.CheckSize(header, file.Length, name);
        RgbImage? alpha = header.Format == ImageFormat.Png ? PngDecoder.DecodeAlpha(file, new ImageJob(name, (int)header.Width, (int)header.Height, limits, default)) : null;
        return alpha is not null && orientation == ExifOrientation.Apply ? ImageOrientation.Apply(alpha, ImageOrientation.Read(file, header.Format)) : alpha;
    }

    /// <summary>Whether the format stores pixels exactly. WebP: whether its first frame does.</summary>
    public static bool IsLossless(ReadOnlyMemory<byte> file, ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => false,
        ImageFormat.WebP => WebPContainer.Read(file) is { Fault: null, Container.IsLossless: true },
        _ => true,
    };

    /// <summary>The ICC profile of an RGB picture; empty if there is none, or if it does not describe RGB.</summary>
    public static ReadOnlyMemory<byte> ColorProfile(ReadOnlyMemory<byte> file, ImageFormat format)
    {
        ReadOnlyMemory<byte> profile = format switch
        {
            ImageFormat.Jpeg => ProfileOfJpeg(file.Span),
            ImageFormat.Png => ProfileOfPng(file),
            ImageFormat.WebP => WebPContainer.Chunks(file[12..]).FirstOrDefault(chunk => chunk.IsWhole && chunk.Kind.Span.SequenceEqual("ICCP"u8)).Content,
            _ => default,
        };
        bool isRgb = profile.Length is >= ProfileHeaderBytes and <= MaximumProfileBytes && profile.Span.Slice(16, 4).SequenceEqual("RGB "u8) && profile.Span.Slice(36, 4).SequenceEqual("acsp"u8);
        return isRgb ? profile : default;
    }

    private static byte[] OfJpeg(ReadOnlySpan<byte> bytes)
    {
        using MemoryStream kept = new(bytes.Length);
        kept.Write([0xFF, 0xD8]);
        int position = 2;
        while (true)
        {
            int marker = JpegMarker.Next(bytes, ref position);
            if (marker < 0 || marker == JpegMarker.End)
                break;
            if (JpegMarker.IsAlone(marker))
                continue;
            ReadOnlySpan<byte> segment = JpegMarker.Segment(bytes, ref position, out bool isWhole);
            // Nothing follows a segment that is cut off.
            if (!isWhole)
                break;
            segment = KeptOfJpeg(marker, segment);
            if (segment.IsEmpty)
                continue;
            kept.Write([0xFF, (byte)marker, (byte)((segment.Length + 2) >> 8), (byte)(segment.Length + 2)]);
            kept.Write(segment);
            if (marker != JpegMarker.Scan)
                continue;
            int end = EndOfScan(bytes, position);
            kept.Write(bytes[position..end]);
            position = end;
        }
        kept.Write([0xFF, JpegMarker.End]);
        return kept.ToArray();
    }

    /// <summary>The part of a segment that affects the picture; empty for none.</summary>
    private static ReadOnlySpan<byte> KeptOfJpeg(int marker, ReadOnlySpan<byte> segment) => marker switch
    {
        // Without the thumbnail, whose size is in the last two bytes.
        JpegMarker.Jfif => segment.Length >= 14 && segment.StartsWith("JFIF\0"u8) ? (byte[])[.. segment[..12], 0, 0] : default,
        JpegMarker.Adobe => segment.Length >= 12 && segment.StartsWith("Adobe"u8) ? segment[..12] : default,
        0xE2 => segment.StartsWith("ICC_PROFILE\0"u8) ? segment : default,
        0xFE or (>= 0xE0 and <= 0xEF) or (>= 0xF0 and <= 0xFD) => default,
        _ => segment,
    };

    private static int EndOfScan(ReadOnlySpan<byte> bytes, int position)
    {
        while (bytes[position..].IndexOf((byte)0xFF) is >= 0 and int next)
        {
            position += next + 1;
            while (position < bytes.Length && bytes[position] == 0xFF)
                position++;
            if (position < bytes.Length && bytes[position] != 0 && !JpegMarker.IsAlone(bytes[position]))
                return position - 1;
        }
        return bytes.Length;
    }

    private static byte[]? OfPng(ReadOnlyMemory<byte> file)
    {
        using MemoryStream kept = new(file.Length);
        kept.Write(file.Span[..8]);
        foreach (PngChunk chunk in PngChunk.Of(file))
        {
            if (chunk.IsCutOff)
                return null;
            if (IsShown(chunk.Kind.Span))
                kept.Write(file.Span.Slice(chunk.Position, 12 + chunk.Content.Length));
            if (chunk.Kind.Span.SequenceEqual("IEND"u8))
                return kept.ToArray();
        }
        return null;
    }

    private static bool IsShown(ReadOnlySpan<byte> kind)
    {
        for (ReadOnlySpan<byte> names = "IHDRPLTEIDATIENDtRNSgAMAcHRMsRGBiCCPcICPsBITbKGDacTLfcTLfdAT"u8; !names.IsEmpty; names = names[4..])
            if (kind.SequenceEqual(names[..4]))
                return true;
        return false;
    }

    private static byte[]? OfGif(ReadOnlySpan<byte> bytes)
    {
        using MemoryStream kept = new(bytes.Length);
        int position = 13 + ColorTableBytes(bytes[10]);
        if (position > bytes.Length)
            return null;
        kept.Write(bytes[..position]);
        while (position < bytes.Length && bytes[position] != 0x3B)
        {
            int end = EndOfGifBlock(bytes, position);
            if (end < 0)
                return null;
            ReadOnlySpan<byte> block = bytes[position..end];
            bool isLoop = block.Length > 14 && (block[3..].StartsWith("NETSCAPE2.0"u8) || block[3..].StartsWith("ANIMEXTS1.0"u8));
            if (block[0] == 0x2C || block[1] == 0xF9 || (block[1] == 0xFF && isLoop))
                kept.Write(block);
            position = end;
        }
        kept.WriteByte(0x3B);
        return kept.ToArray();
    }

    private static int GifFrames(ReadOnlySpan<byte> bytes)
    {
        int frames = 0;
        for (int position = 13 + ColorTableBytes(bytes[10]); position >= 0 && position < bytes.Length && bytes[position] != 0x3B; position = EndOfGifBlock(bytes, position))
            frames += bytes[position] == 0x2C ? 1 : 0;
        return frames;
    }

    /// <returns>-1 for an unknown or truncated block.</returns>
    private static int EndOfGifBlock(ReadOnlySpan<byte> bytes, int position)
    {
        int data;
        if (bytes[position] == 0x21)
            data = position + 2;
        else if (bytes[position] == 0x2C && position + 10 < bytes.Length)
            data = position + 11 + ColorTableBytes(bytes[position + 9]);
        else
            return -1;
        while (data < bytes.Length && bytes[data] != 0)
            data += 1 + bytes[data];
        return data < bytes.Length ? data + 1 : -1;
    }

    private static int ColorTableBytes(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    private static byte[]? OfWebP(ReadOnlyMemory<byte> file)
    {
        using MemoryStream kept = new(file.Length);
        Span<byte> length = stackalloc byte[4];
        kept.Write(file.Span[..12]);
        foreach ((ReadOnlyMemory<byte> kind, ReadOnlyMemory<byte> content, bool isWhole) in WebPContainer.Chunks(file[12..]))
        {
            if (!isWhole)
                return null;
            ReadOnlySpan<byte> name = kind.Span;
            bool isHeader = name.SequenceEqual("VP8X"u8);
            if (!isHeader && !name.SequenceEqual("VP8 "u8) && !name.SequenceEqual("VP8L"u8) && !name.SequenceEqual("ALPH"u8) && !name.SequenceEqual("ANIM"u8) && !name.SequenceEqual("ANMF"u8) && !name.SequenceEqual("ICCP"u8))
                continue;
            BinaryPrimitives.WriteInt32LittleEndian(length, content.Length);
            kept.Write(name);
            kept.Write(length);
            byte[] bytes = content.ToArray();
            // The flags of EXIF and XMP.
            if (isHeader && bytes.Length > 0)
                bytes[0] &= 0xF3;
            kept.Write(bytes);
            if (bytes.Length % 2 != 0)
                kept.WriteByte(0);
        }
        byte[] stripped = kept.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(stripped.AsSpan(4), stripped.Length - 8);
        return stripped;
    }

    private static bool HasWebPAlpha(ReadOnlySpan<byte> kind, ReadOnlySpan<byte> content) =>
        (kind.SequenceEqual("VP8X"u8) && content.Length > 0 && (content[0] & 0x10) != 0) || (kind.SequenceEqual("VP8L"u8) && content.Length > 4 && (content[4] & 0x10) != 0);

    private static byte[] ProfileOfJpeg(ReadOnlySpan<byte> bytes)
    {
        SortedDictionary<byte, byte[]> pieces = [];
        int position = 2;
        while (true)
        {
            int marker = JpegMarker.Next(bytes, ref position);
            if (marker is < 0 or JpegMarker.End or JpegMarker.Scan)
                return [.. pieces.Values.SelectMany(piece => piece)];
            if (JpegMarker.IsAlone(marker))
                continue;
            ReadOnlySpan<byte> segment = JpegMarker.Segment(bytes, ref position, out bool isWhole);
            if (!isWhole)
                return [];
            if (marker == 0xE2 && segment.Length > 14 && segment.StartsWith("ICC_PROFILE\0"u8))
                pieces[segment[12]] = segment[14..].ToArray();
        }
    }

    private static byte[] ProfileOfPng(ReadOnlyMemory<byte> file)
    {
        PngChunk found = PngChunk.Of(file).FirstOrDefault(chunk => chunk.Kind.Span.SequenceEqual("iCCP"u8));
        int end = found.IsCutOff ? -1 : found.Content.Span.IndexOf((byte)0);
        if (end < 0 || end + 2 > found.Content.Length)
            return [];
        try
        {
            using ZLibStream inflater = new(new MemoryStream(found.Content[(end + 2)..].ToArray()), CompressionMode.Decompress);
            byte[] profile = new byte[MaximumProfileBytes];
            return profile[..inflater.ReadAtLeast(profile, profile.Length, throwOnEndOfStream: false)];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }
}

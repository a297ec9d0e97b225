using System.Buffers.Binary;
using System.Text;

namespace XComposer2.Native.Model;

/// <summary>Format and size as a picture file states them, read without decoding and without allocating.</summary>
/// <param name="Format">Encoding, from the first bytes; the file's name is not asked.</param>
/// <param name="Width">Columns, not negative.</param>
/// <param name="Height">Rows, not negative.</param>
public readonly record struct ImageHeader(ImageFormat Format, long Width, long Height)
{
    private const int PngHeaderBytes = 33;
    private const int BmpHeaderBytes = 26;
    private const int GifHeaderBytes = 13;

    /// <summary>Reads the header.</summary>
    /// <exception cref="ImageException">Unknown format, or cut off before its size.</exception>
    public static ImageHeader Read(ReadOnlySpan<byte> bytes, string name)
    {
        if (bytes.IsEmpty) throw ImageException.For(name, "the file is empty");
        if (bytes.StartsWith<byte>([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])) return ReadPng(bytes, name);
        if (bytes.StartsWith<byte>([0xFF, 0xD8, 0xFF])) return ReadJpeg(bytes, name);
        if (bytes.StartsWith("GIF87a"u8) || bytes.StartsWith("GIF89a"u8)) return ReadGif(bytes, name);
        if (bytes.StartsWith("BM"u8)) return ReadBmp(bytes, name);
        throw ImageException.For(name, $"not a picture: expected PNG, JPEG, BMP or GIF; found bytes {Describe(bytes)}");
    }

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
        return new(ImageFormat.Gif, BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]));
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
        // A negative height means that the top row comes first.
        return new(ImageFormat.Bmp, width, Math.Abs((long)height));
    }

    private static ImageHeader ReadJpeg(ReadOnlySpan<byte> bytes, string name)
    {
        long position = 2;
        while (position + 4 <= bytes.Length)
        {
            if (bytes[(int)position] != 0xFF)
                throw ImageException.For(name, $"JPEG: expected a marker at byte {position}, found 0x{bytes[(int)position]:X2}");
            byte marker = bytes[(int)position + 1];
            if (marker == 0xFF) { position++; continue; }
            if (marker is 0x01 or (>= 0xD0 and <= 0xD7)) { position += 2; continue; }
            if (marker is 0xD9 or 0xDA) throw ImageException.For(name, "JPEG: no frame header before the picture data");
            int segmentBytes = BinaryPrimitives.ReadUInt16BigEndian(bytes[((int)position + 2)..]);
            bool isFrame = marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC);
            if (isFrame)
            {
                if (position + 10 > bytes.Length) break;
                int height = BinaryPrimitives.ReadUInt16BigEndian(bytes[((int)position + 5)..]);
                int width = BinaryPrimitives.ReadUInt16BigEndian(bytes[((int)position + 7)..]);
                if (marker > 0xC2) throw ImageException.For(name, $"JPEG: only baseline and progressive are read, found coding process 0x{marker:X2}");
                return new(ImageFormat.Jpeg, width, height);
            }
            if (segmentBytes < 2) throw ImageException.For(name, $"JPEG: the segment at byte {position} states a length of {segmentBytes}");
            position += 2 + segmentBytes;
        }
        throw ImageException.For(name, "JPEG: the file ends before its frame header");
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

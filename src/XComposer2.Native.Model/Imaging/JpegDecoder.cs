using System.Buffers.Binary;
using System.Runtime.InteropServices;
using StbImageSharp;

namespace XComposer2.Native.Model;

/// <summary>JPEG through StbImageSharp, behind a scan of the file's markers that refuses what the library would meet with guesses.</summary>
internal static class JpegDecoder
{
    /// <summary>Each scan walks the whole picture, so a small file with many scans could keep a core busy for hours; real files have about ten.</summary>
    private const int MaxScans = 100;

    public static RgbImage Decode(ReadOnlyMemory<byte> bytes, int width, int height, string name)
    {
        CheckMarkers(bytes.Span, name);
        ImageResult decoded;
        try
        {
            using MemoryStream stream = MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> segment)
                ? new(segment.Array!, segment.Offset, segment.Count, writable: false)
                : new(bytes.ToArray(), writable: false);
            decoded = ImageResult.FromStream(stream, ColorComponents.RedGreenBlue);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // The library reports damage with whatever its array accesses throw.
            throw new ImageException($"{name}: JPEG: damaged picture data ({error.Message})", error);
        }
        if (decoded?.Data is null || decoded.Width != width || decoded.Height != height)
            throw ImageException.For(name, $"JPEG: expected {width} x {height} pixels, found {decoded?.Width} x {decoded?.Height}");
        return new(width, height, decoded.Data);
    }

    private static void CheckMarkers(ReadOnlySpan<byte> bytes, string name)
    {
        int position = 2;
        int frames = 0;
        int scans = 0;
        while (true)
        {
            int next = bytes[position..].IndexOf((byte)0xFF);
            if (next < 0 || position + next + 1 >= bytes.Length) throw ImageException.For(name, "JPEG: the file is cut off (no end marker)");
            position += next + 1;
            byte marker = bytes[position];
            // Stuffed zeros, fill bytes and restart marks belong to the picture data.
            if (marker is 0x00 or 0x01 or 0xFF or (>= 0xD0 and <= 0xD8)) continue;
            position++;
            if (marker == 0xD9) break;
            if (position + 2 > bytes.Length) throw ImageException.For(name, "JPEG: the file is cut off");
            int segmentBytes = BinaryPrimitives.ReadUInt16BigEndian(bytes[position..]);
            if (segmentBytes < 2 || position + segmentBytes > bytes.Length)
                throw ImageException.For(name, $"JPEG: the segment at byte {position - 2} states {segmentBytes} bytes, {bytes.Length - position} are left");
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC) && ++frames > 1)
                throw ImageException.For(name, "JPEG: a second frame header");
            if (marker == 0xDA && ++scans > MaxScans) throw ImageException.For(name, $"JPEG: more than {MaxScans} scans");
            position += segmentBytes;
        }
        if (scans == 0) throw ImageException.For(name, "JPEG: no picture data");
    }
}

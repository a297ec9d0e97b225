using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>Generated small picture files.</summary>
internal static class TestPicture
{
    /// <summary>A PNG with a single colour.</summary>
    /// <param name="red">0 to 255.</param>
    /// <param name="green">0 to 255.</param>
    /// <param name="blue">0 to 255.</param>
    /// <param name="size">Width and height.</param>
    /// <param name="chunks">Chunks between header and data: type and content.</param>
    public static byte[] Png(byte red, byte green, byte blue, int size = 4, params (string Kind, byte[] Content)[] chunks)
    {
        using MemoryStream rows = new();
        using (ZLibStream deflater = new(rows, CompressionLevel.Fastest, leaveOpen: true))
            for (int y = 0; y < size; y++)
            {
                deflater.WriteByte(0);
                for (int x = 0; x < size; x++)
                    deflater.Write([red, green, blue]);
            }

        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, size);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), size);
        header[8] = 8;
        header[9] = 2;
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR", header), .. chunks.SelectMany(chunk => Chunk(chunk.Kind, chunk.Content)), .. Chunk("IDAT", rows.ToArray()), .. Chunk("IEND", [])];
    }

    /// <summary>A JPEG with the given segments after its first marker.</summary>
    public static byte[] Jpeg(params (byte Marker, byte[] Content)[] segments)
    {
        byte[] plain = File.ReadAllBytes(TestPaths.Golden("images/jpeg-gray.jpg"));
        return [.. plain[..2], .. segments.SelectMany(segment => Segment(segment.Marker, segment.Content)), .. plain[2..]];
    }

    public static byte[] Latin(string text) => Encoding.Latin1.GetBytes(text);

    private static byte[] Segment(byte marker, byte[] content) => [0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];

    private static byte[] Chunk(string kind, byte[] content)
    {
        byte[] chunk = new byte[content.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        Encoding.ASCII.GetBytes(kind, chunk.AsSpan(4));
        content.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(content.Length + 8), Crc32.Of(chunk.AsSpan(4, content.Length + 4)));
        return chunk;
    }
}

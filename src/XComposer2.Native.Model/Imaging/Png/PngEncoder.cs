using System.Buffers.Binary;
using System.IO.Compression;

namespace XComposer2.Native.Model;

/// <summary>Writes 8-bit RGB PNG files with the Up filter.</summary>
public static class PngEncoder
{
    /// <returns>The complete file.</returns>
    public static byte[] Encode(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        using MemoryStream file = new();
        file.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), image.Height);
        (header[8], header[9]) = (8, (byte)PngColorType.Rgb);
        WriteChunk(file, "IHDR"u8, header);
        WriteChunk(file, "IDAT"u8, Deflate(image));
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static byte[] Deflate(RgbImage image)
    {
        using MemoryStream packed = new();
        using (ZLibStream deflater = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            int stride = 3 * image.Width;
            byte[] filtered = new byte[1 + stride];
            filtered[0] = 2;
            for (int row = 0; row < image.Height; row++)
            {
                ReadOnlySpan<byte> current = image.Pixels.Span.Slice(row * stride, stride);
                ReadOnlySpan<byte> above = row == 0 ? new byte[stride] : image.Pixels.Span.Slice((row - 1) * stride, stride);
                for (int index = 0; index < stride; index++) filtered[1 + index] = (byte)(current[index] - above[index]);
                deflater.Write(filtered);
            }
        }
        return packed.ToArray();
    }

    private static void WriteChunk(MemoryStream file, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> content)
    {
        byte[] chunk = new byte[12 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        kind.CopyTo(chunk.AsSpan(4));
        content.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + content.Length), Crc32.Of(chunk.AsSpan(4, 4 + content.Length)));
        file.Write(chunk);
    }
}

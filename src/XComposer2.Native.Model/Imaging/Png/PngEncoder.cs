using System.Buffers.Binary;
using System.IO.Compression;

namespace XComposer2.Native.Model;

/// <summary>Writes 8-bit RGB and RGBA PNG files. Each row has the filter with the smallest sum of absolute differences. No metadata except a colour profile.</summary>
public static class PngEncoder
{
    private const int FilterCount = 5;

    /// <param name="image">The picture.</param>
    /// <param name="alpha">Opacity in each channel, of the same size; null for an opaque picture.</param>
    /// <param name="profile">ICC profile of the pixels; empty for sRGB.</param>
    /// <returns>The complete file.</returns>
    public static byte[] Encode(RgbImage image, RgbImage? alpha = null, ReadOnlyMemory<byte> profile = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (alpha is not null && (alpha.Width, alpha.Height) != (image.Width, image.Height))
            throw new ArgumentException($"an opacity of {image.Width} x {image.Height} was expected, found {alpha.Width} x {alpha.Height}", nameof(alpha));
        using MemoryStream file = new();
        file.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), image.Height);
        (header[8], header[9]) = (8, (byte)(alpha is null ? PngColorType.Rgb : PngColorType.RgbAlpha));
        WriteChunk(file, "IHDR"u8, header);
        if (!profile.IsEmpty)
            WriteChunk(file, "iCCP"u8, [.. "icc\0\0"u8, .. Deflate(stream => stream.Write(profile.Span))]);
        WriteChunk(file, "IDAT"u8, Deflate(stream => WriteRows(image, alpha, stream)));
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static byte[] Deflate(Action<Stream> write)
    {
        using MemoryStream packed = new();
        using (ZLibStream deflater = new(packed, CompressionLevel.Optimal, leaveOpen: true))
            write(deflater);
        return packed.ToArray();
    }

    private static void WriteRows(RgbImage image, RgbImage? alpha, Stream target)
    {
        int pixelBytes = alpha is null ? 3 : 4, stride = pixelBytes * image.Width;
        byte[] above = new byte[stride], current = new byte[stride], best = new byte[1 + stride], trial = new byte[1 + stride];
        for (int row = 0; row < image.Height; row++)
        {
            Interleave(image, alpha, row, current);
            long least = long.MaxValue;
            for (byte filter = 0; filter < FilterCount; filter++)
            {
                long sum = Filter(filter, current, above, pixelBytes, trial);
                if (sum >= least) continue;
                least = sum;
                (best, trial) = (trial, best);
            }
            target.Write(best);
            (above, current) = (current, above);
        }
    }

    private static void Interleave(RgbImage image, RgbImage? alpha, int row, Span<byte> target)
    {
        ReadOnlySpan<byte> rgb = image.Pixels.Span.Slice(3 * row * image.Width, 3 * image.Width);
        if (alpha is null)
        {
            rgb.CopyTo(target);
            return;
        }
        ReadOnlySpan<byte> opacity = alpha.Pixels.Span.Slice(3 * row * image.Width, 3 * image.Width);
        for (int column = 0; column < image.Width; column++)
        {
            rgb.Slice(3 * column, 3).CopyTo(target[(4 * column)..]);
            target[(4 * column) + 3] = opacity[3 * column];
        }
    }

    /// <returns>The sum of the filtered bytes as signed numbers.</returns>
    private static long Filter(byte filter, ReadOnlySpan<byte> current, ReadOnlySpan<byte> above, int pixelBytes, Span<byte> target)
    {
        long sum = 0;
        target[0] = filter;
        for (int index = 0; index < current.Length; index++)
        {
            int left = index >= pixelBytes ? current[index - pixelBytes] : 0, corner = index >= pixelBytes ? above[index - pixelBytes] : 0;
            int estimate = filter switch { 0 => 0, 1 => left, 2 => above[index], 3 => (left + above[index]) / 2, _ => PngFilter.Paeth(left, above[index], corner) };
            byte difference = (byte)(current[index] - estimate);
            target[1 + index] = difference;
            sum += Math.Abs((int)(sbyte)difference);
        }
        return sum;
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

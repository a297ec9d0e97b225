using System.IO.Compression;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Model;

/// <summary>
/// First page of a TIFF: strips and tiles; gray, RGB, palette and CMYK of 1 to 16 bits; uncompressed, PackBits, LZW, deflate, JPEG and fax
/// compression. 16-bit samples keep their high byte.
/// </summary>
internal static class TiffDecoder
{
    public static RgbImage Decode(ReadOnlyMemory<byte> bytes, ImageJob job)
    {
        TiffDirectory tags = TiffDirectory.Read(bytes) ?? throw job.Fault("TIFF: no directory of tags");
        TiffLayout layout = TiffLayout.Read(tags, job);
        int planes = layout.IsPlanar ? layout.Samples : 1;
        long partBytes = layout.RowBytes * layout.PartHeight;
        bool isJpeg = layout.Compression == 7;
        job.RequireMemory(partBytes * planes);
        byte[] pixels = new byte[3 * job.Width * job.Height];
        byte[][] parts = isJpeg ? [] : [.. Enumerable.Range(0, planes).Select(_ => new byte[partBytes])];
        int[][] changes = layout.Compression is 2 or 3 or 4 ? [new int[FaxDecoder.ChangesOf(layout.PartWidth)], new int[FaxDecoder.ChangesOf(layout.PartWidth)]] : [];
        int across = (job.Width + layout.PartWidth - 1) / layout.PartWidth, down = (job.Height + layout.PartHeight - 1) / layout.PartHeight;
        for (int index = 0; index < across * down; index++)
        {
            job.Cancellation.ThrowIfCancellationRequested();
            int left = index % across * layout.PartWidth, top = index / across * layout.PartHeight;
            int columns = Math.Min(layout.PartWidth, job.Width - left), rows = Math.Min(layout.PartHeight, job.Height - top);
            if (isJpeg)
            {
                CopyJpeg(tags, layout, index, pixels, left, top, columns, rows, job);
                continue;
            }
            for (int plane = 0; plane < planes; plane++)
                DecodePart(tags, layout, plane * across * down + index, layout.IsTiled ? layout.PartHeight : rows, parts[plane], changes, job);
            for (int row = 0; row < rows; row++)
                TiffPixels.Expand(layout, tags.IsLittleEndian, parts, row, pixels.AsSpan(3 * ((top + row) * job.Width + left), 3 * columns));
        }
        return new RgbImage(job.Width, job.Height, pixels);
    }

    private static ReadOnlyMemory<byte> PartData(TiffDirectory tags, TiffLayout layout, int index, ImageJob job)
    {
        long offset = layout.Offsets[index], count = layout.ByteCounts[index];
        if (offset < 0 || count < 0 || offset > tags.File.Length || count > tags.File.Length - offset)
            throw job.Fault($"TIFF: the file is cut off: strip or tile {index} has {count} bytes at byte {offset}, the file has {tags.File.Length}");
        return tags.File.Slice((int)offset, (int)count);
    }

    private static void DecodePart(TiffDirectory tags, TiffLayout layout, int index, int rows, byte[] part, int[][] changes, ImageJob job)
    {
        ReadOnlyMemory<byte> data = PartData(tags, layout, index, job);
        if (layout.IsReversed) data = Reverse(data.Span);
        Span<byte> target = part.AsSpan(0, (int)(layout.RowBytes * rows));
        string? fault = layout.Compression switch
        {
            1 => Copy(data.Span, target),
            2 or 3 or 4 => new FaxDecoder(data.Span, layout.PartWidth, layout.Compression, (int)tags.Number(292, 0), changes).Decode(target, (int)layout.RowBytes),
            5 => TiffLzw.Decode(data.Span, target),
            8 or 32946 => Inflate(data, target, part.Length),
            32773 => PackBits(data.Span, target),
            _ => throw job.Fault($"TIFF: compression {layout.Compression} is not read"),
        };
        if (fault is not null) throw job.Fault($"TIFF: strip or tile {index}: {fault}");
        if (layout.IsDifference)
            for (int row = 0; row < rows; row++)
                TiffPixels.AddLeft(target.Slice((int)(row * layout.RowBytes), (int)layout.RowBytes), layout.IsPlanar ? 1 : layout.Samples, layout.Bits, tags.IsLittleEndian);
    }

    private static void CopyJpeg(TiffDirectory tags, TiffLayout layout, int index, byte[] pixels, int left, int top, int columns, int rows, ImageJob job)
    {
        if (layout.IsPlanar || layout.Bits != 8) throw job.Fault("TIFF: JPEG compression is read with 8 bits and interleaved samples");
        ReadOnlySpan<byte> data = PartData(tags, layout, index, job).Span, tables = tags.Bytes(347).Span;
        // The shared tables are an abbreviated JPEG; its segments are inserted after the start marker of the part.
        byte[] whole = tables.Length > 4 && data.Length > 2 ? [.. tables[..^2], .. data[2..]] : data.ToArray();
        ImageHeader header = ImageHeader.Read(whole, job.Name);
        if (header.Format != ImageFormat.Jpeg || header.Width < columns || header.Height < rows || header.Width > layout.PartWidth || header.Height > layout.PartHeight)
            throw job.Fault($"TIFF: strip or tile {index}: a JPEG of {columns} x {rows} expected, found {header.Width} x {header.Height}");
        JpegColorSpace color = layout.Color switch
        {
            TiffColor.YCbCr => JpegColorSpace.YCbCr,
            TiffColor.Rgb => JpegColorSpace.Rgb,
            TiffColor.Cmyk => JpegColorSpace.PlainCmyk,
            TiffColor.Gray => JpegColorSpace.Gray,
            _ => throw job.Fault("TIFF: JPEG compression is not read with these colours"),
        };
        RgbImage part = JpegDecoder.Decode(whole, job with { Width = (int)header.Width, Height = (int)header.Height }, color);
        for (int row = 0; row < rows; row++)
            part.Pixels.Span.Slice(3 * row * part.Width, 3 * columns).CopyTo(pixels.AsSpan(3 * ((top + row) * job.Width + left)));
    }

    private static string? Copy(ReadOnlySpan<byte> data, Span<byte> target)
    {
        if (data.Length < target.Length) return $"{target.Length} bytes expected, found {data.Length}";
        data[..target.Length].CopyTo(target);
        return null;
    }

    private static string? Inflate(ReadOnlyMemory<byte> data, Span<byte> target, int wholeBytes)
    {
        try
        {
            MemoryMarshal.TryGetArray(data, out ArraySegment<byte> segment);
            using MemoryStream stream = segment.Array is null ? new(data.ToArray()) : new(segment.Array, segment.Offset, segment.Count);
            using ZLibStream inflated = new(stream, CompressionMode.Decompress);
            inflated.ReadExactly(target);
            // Reading to the end verifies the checksum. The last strip may contain rows below the picture.
            Span<byte> below = stackalloc byte[256];
            long bytes = target.Length;
            for (int read; bytes <= wholeBytes && (read = inflated.Read(below)) > 0;) bytes += read;
            return bytes == target.Length || bytes == wholeBytes ? null : $"{target.Length} bytes expected, found {bytes} and more";
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            return "damaged or cut off (deflate)";
        }
    }

    private static string? PackBits(ReadOnlySpan<byte> data, Span<byte> target)
    {
        int position = 0, written = 0;
        while (written < target.Length)
        {
            if (position >= data.Length) return "cut off (PackBits)";
            int count = (sbyte)data[position++];
            if (count == -128) continue;
            int length = Math.Min(count < 0 ? 1 - count : count + 1, target.Length - written);
            int needed = count < 0 ? 1 : length;
            if (position + needed > data.Length) return "cut off (PackBits)";
            if (count < 0) target.Slice(written, length).Fill(data[position]);
            else data.Slice(position, length).CopyTo(target[written..]);
            position += needed;
            written += length;
        }
        return null;
    }

    private static byte[] Reverse(ReadOnlySpan<byte> data)
    {
        byte[] reversed = new byte[data.Length];
        for (int index = 0; index < data.Length; index++)
        {
            int value = data[index];
            value = (value & 0xF0) >> 4 | (value & 0x0F) << 4;
            value = (value & 0xCC) >> 2 | (value & 0x33) << 2;
            reversed[index] = (byte)((value & 0xAA) >> 1 | (value & 0x55) << 1);
        }
        return reversed;
    }
}

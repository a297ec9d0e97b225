using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>
/// PNG of every colour type and bit depth, plain and interlaced. Not more is inflated than the stated size needs, so that a small file
/// cannot fill the memory; checksums of the chunks that are used are compared.
/// </summary>
internal static class PngDecoder
{
    private const int SignatureBytes = 8;
    private const int ChunkFrameBytes = 12;

    public static RgbImage Decode(ReadOnlyMemory<byte> bytes, int width, int height, string name)
    {
        ReadOnlySpan<byte> file = bytes.Span;
        PngLayout? layout = null;
        byte[] palette = [];
        using PngDataStream data = new();
        for (int position = SignatureBytes; ;)
        {
            if (position + ChunkFrameBytes > file.Length) throw ImageException.For(name, "PNG: the file is cut off (no IEND chunk)");
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[position..]);
            ReadOnlySpan<byte> kind = file.Slice(position + 4, 4);
            if (length > file.Length - position - ChunkFrameBytes)
                throw ImageException.For(name, $"PNG: the file is cut off: the chunk at byte {position} states {length} bytes, {file.Length - position - ChunkFrameBytes} are left");
            int content = position + 8;
            position = content + (int)length + 4;
            bool isHeader = kind.SequenceEqual("IHDR"u8), isPalette = kind.SequenceEqual("PLTE"u8);
            bool isData = kind.SequenceEqual("IDAT"u8), isEnd = kind.SequenceEqual("IEND"u8);
            if (!isHeader && !isPalette && !isData && !isEnd)
            {
                // A lower-case first letter marks what a reader may skip.
                if ((kind[0] & 0x20) == 0) throw ImageException.For(name, $"PNG: an unknown critical chunk at byte {content - 8}");
                continue;
            }
            uint stated = BinaryPrimitives.ReadUInt32BigEndian(file[(position - 4)..]);
            if (Crc32.Of(file.Slice(content - 4, (int)length + 4)) != stated) throw ImageException.For(name, $"PNG: the chunk at byte {content - 8} is damaged (checksum)");
            if (isHeader)
            {
                if (layout is not null || length != 13) throw ImageException.For(name, "PNG: a second or misshapen IHDR chunk");
                layout = PngLayout.Read(file.Slice(content, 13), name);
            }
            else if (layout is null) throw ImageException.For(name, "PNG: no IHDR chunk");
            else if (isPalette) palette = file.Slice(content, (int)length).ToArray();
            else if (isData) data.Add(bytes.Slice(content, (int)length));
            else break;
        }
        return Inflate(layout, palette, data, width, height, name);
    }

    private static RgbImage Inflate(PngLayout layout, byte[] palette, PngDataStream data, int width, int height, string name)
    {
        if (layout.ColorType == PngColorType.Palette && palette.Length is 0 or > 768)
            throw ImageException.For(name, $"PNG: a palette of {palette.Length} bytes");
        byte[] pixels = GC.AllocateUninitializedArray<byte>(3 * width * height);
        try
        {
            using ZLibStream inflated = new(data, CompressionMode.Decompress);
            foreach (PngPass pass in layout.Interlaced ? PngPass.Adam7 : PngPass.Plain)
                ReadPass(inflated, layout, palette, pass, pixels, width, height, name);
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw new ImageException($"{name}: PNG: the picture data is damaged or cut off", error);
        }
        return new(width, height, pixels);
    }

    private static void ReadPass(Stream inflated, PngLayout layout, byte[] palette, PngPass pass, byte[] pixels, int width, int height, string name)
    {
        int columns = (width - pass.Left + pass.StepX - 1) / pass.StepX;
        int rows = (height - pass.Top + pass.StepY - 1) / pass.StepY;
        if (columns <= 0 || rows <= 0) return;
        int rowBytes = checked((int)(((long)columns * layout.BitsPerPixel + 7) / 8));
        byte[] current = new byte[rowBytes];
        byte[] above = new byte[rowBytes];
        for (int row = 0; row < rows; row++)
        {
            int filter = inflated.ReadByte();
            if (filter < 0) throw new EndOfStreamException();
            if (filter > 4) throw ImageException.For(name, $"PNG: row filter 0 to 4 expected, found {filter}");
            inflated.ReadExactly(current);
            PngFilter.Undo(filter, current, above, Math.Max(layout.BitsPerPixel / 8, 1));
            long target = 3L * ((pass.Top + (long)row * pass.StepY) * width + pass.Left);
            layout.Expand(current, columns, palette, pixels.AsSpan((int)target), 3 * pass.StepX);
            (current, above) = (above, current);
        }
    }
}

/// <summary>The five row filters of PNG, undone in place.</summary>
internal static class PngFilter
{
    /// <param name="filter">0 to 4: none, left, above, average, Paeth.</param>
    /// <param name="row">Filtered bytes in, plain bytes out.</param>
    /// <param name="above">The plain row above; zeros above the first.</param>
    /// <param name="pixelBytes">Bytes from a sample to the same sample of the pixel before, at least 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Undo(int filter, Span<byte> row, ReadOnlySpan<byte> above, int pixelBytes)
    {
        switch (filter)
        {
            case 1:
                for (int index = pixelBytes; index < row.Length; index++) row[index] += row[index - pixelBytes];
                break;
            case 2:
                for (int index = 0; index < row.Length; index++) row[index] += above[index];
                break;
            case 3:
                for (int index = 0; index < row.Length; index++)
                    row[index] += (byte)(((index >= pixelBytes ? row[index - pixelBytes] : 0) + above[index]) / 2);
                break;
            case 4:
                for (int index = 0; index < row.Length; index++)
                    row[index] += index >= pixelBytes ? Paeth(row[index - pixelBytes], above[index], above[index - pixelBytes]) : above[index];
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Paeth(int left, int above, int corner)
    {
        int estimate = left + above - corner;
        int toLeft = Math.Abs(estimate - left), toAbove = Math.Abs(estimate - above), toCorner = Math.Abs(estimate - corner);
        return (byte)(toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner);
    }
}

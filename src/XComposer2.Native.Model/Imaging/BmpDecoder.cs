using System.Buffers.Binary;
using System.Numerics;

namespace XComposer2.Native.Model;

/// <summary>BMP of Windows and OS/2: 1, 4, 8, 16, 24 and 32 bits per pixel, uncompressed (also with bit masks) or run-length encoded.</summary>
internal static class BmpDecoder
{
    private const int FileHeaderBytes = 14;
    private const int CoreHeaderBytes = 12;
    private const uint Uncompressed = 0;
    private const uint RunLength8 = 1;
    private const uint RunLength4 = 2;
    private const uint BitFields = 3;
    private const uint AlphaBitFields = 6;

    public static RgbImage Decode(ReadOnlySpan<byte> bytes, ImageJob job)
    {
        (int width, int height) = (job.Width, job.Height);
        uint headerBytes = U32(bytes, 14);
        bool isCore = headerBytes == CoreHeaderBytes;
        if (FileHeaderBytes + (long)headerBytes > bytes.Length) throw job.Fault($"BMP: a header of {headerBytes} bytes in a file of {bytes.Length}");
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(isCore ? 24 : 28)..]);
        uint compression = isCore ? Uncompressed : U32(bytes, 30);
        bool bottomUp = isCore || BinaryPrimitives.ReadInt32LittleEndian(bytes[22..]) >= 0;
        if (bits is not (1 or 4 or 8 or 16 or 24 or 32)) throw job.Fault($"BMP: 1, 4, 8, 16, 24 or 32 bits per pixel expected, found {bits}");
        bool masked = compression is BitFields or AlphaBitFields;
        bool isRunLength = compression is RunLength8 or RunLength4 && bits == (compression == RunLength8 ? 8 : 4);
        if (compression != Uncompressed && !isRunLength && !(masked && bits is 16 or 32))
            throw job.Fault($"BMP: compression {compression} at {bits} bits per pixel is not read");

        long dataOffset = U32(bytes, 10);
        long stride = ((long)width * bits + 31) / 32 * 4;
        if (dataOffset < FileHeaderBytes + headerBytes || dataOffset + (isRunLength ? 0 : stride * height) > bytes.Length)
            throw job.Fault($"BMP: the file is cut off: {stride * height} bytes of pixels at byte {dataOffset} expected, the file has {bytes.Length}");

        ReadOnlySpan<byte> palette = bits <= 8 ? Palette(bytes, isCore, headerBytes, bits, dataOffset) : default;
        (uint red, uint green, uint blue) = bits >= 16 ? Masks(bytes, bits, masked, job) : default;
        byte[] indices = isRunLength ? BmpRunLength.Decode(bytes, (int)dataOffset, bits, job) : [];
        byte[] pixels = GC.AllocateUninitializedArray<byte>(3 * width * height);
        for (int row = 0; row < height; row++)
        {
            int stored = bottomUp ? height - 1 - row : row;
            ReadOnlySpan<byte> source = isRunLength ? indices.AsSpan(stored * width, width) : bytes.Slice((int)(dataOffset + stride * stored), (int)stride);
            Span<byte> target = pixels.AsSpan(3 * row * width, 3 * width);
            if (isRunLength) ExpandPalette(source, 8, palette, isCore ? 3 : 4, target);
            else if (bits <= 8) ExpandPalette(source, bits, palette, isCore ? 3 : 4, target);
            else if (bits == 24) SwapRedAndBlue(source, target);
            else ApplyMasks(source, bits / 8, red, green, blue, target);
        }
        return new(width, height, pixels);
    }

    private static ReadOnlySpan<byte> Palette(ReadOnlySpan<byte> bytes, bool isCore, uint headerBytes, int bits, long dataOffset)
    {
        int start = (int)(FileHeaderBytes + headerBytes);
        long entryBytes = isCore ? 3 : 4;
        long stated = isCore ? 0 : U32(bytes, 46);
        long entries = stated == 0 ? 1L << bits : Math.Min(stated, 1L << bits);
        return bytes.Slice(start, (int)Math.Min(entries * entryBytes, dataOffset - start));
    }

    // Indices beyond the palette are gray levels, as in Pillow.
    private static void ExpandPalette(ReadOnlySpan<byte> source, int bits, ReadOnlySpan<byte> palette, int entryBytes, Span<byte> target)
    {
        int perByte = 8 / bits;
        int mask = (1 << bits) - 1;
        for (int column = 0; column < target.Length / 3; column++)
        {
            int index = source[column / perByte] >> (8 - bits * (column % perByte + 1)) & mask;
            int entry = index * entryBytes;
            bool known = entry + 3 <= palette.Length;
            target[3 * column] = known ? palette[entry + 2] : (byte)index;
            target[3 * column + 1] = known ? palette[entry + 1] : (byte)index;
            target[3 * column + 2] = known ? palette[entry] : (byte)index;
        }
    }

    private static void SwapRedAndBlue(ReadOnlySpan<byte> source, Span<byte> target)
    {
        for (int index = 0; index < target.Length; index += 3)
        {
            target[index] = source[index + 2];
            target[index + 1] = source[index + 1];
            target[index + 2] = source[index];
        }
    }

    private static (uint Red, uint Green, uint Blue) Masks(ReadOnlySpan<byte> bytes, int bits, bool masked, ImageJob job)
    {
        if (!masked) return bits == 16 ? (0x7C00u, 0x03E0u, 0x001Fu) : (0xFF0000u, 0x00FF00u, 0x0000FFu);
        if (bytes.Length < 66) throw job.Fault("BMP: the file ends within its bit masks");
        (uint Red, uint Green, uint Blue) masks = (U32(bytes, 54), U32(bytes, 58), U32(bytes, 62));
        if (!IsRun(masks.Red) || !IsRun(masks.Green) || !IsRun(masks.Blue))
            throw job.Fault($"BMP: bit masks 0x{masks.Red:X}, 0x{masks.Green:X}, 0x{masks.Blue:X}: each must be one run of bits");
        return masks;
    }

    private static bool IsRun(uint mask) => mask != 0 && ((ulong)(mask >> BitOperations.TrailingZeroCount(mask)) + 1 & mask >> BitOperations.TrailingZeroCount(mask)) == 0;

    private static void ApplyMasks(ReadOnlySpan<byte> source, int pixelBytes, uint red, uint green, uint blue, Span<byte> target)
    {
        for (int column = 0; column < target.Length / 3; column++)
        {
            ReadOnlySpan<byte> pixel = source.Slice(column * pixelBytes, pixelBytes);
            uint value = pixelBytes == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(pixel) : BinaryPrimitives.ReadUInt32LittleEndian(pixel);
            target[3 * column] = Scale(value, red);
            target[3 * column + 1] = Scale(value, green);
            target[3 * column + 2] = Scale(value, blue);
        }
    }

    private static byte Scale(uint value, uint mask)
    {
        int shift = BitOperations.TrailingZeroCount(mask);
        return (byte)((ulong)((value & mask) >> shift) * 255 / (mask >> shift));
    }

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
}

/// <summary>Run-length encoding of BMP. Constructs that decoders interpret differently (delta codes, empty rows, runs across the end of a row) are rejected.</summary>
internal static class BmpRunLength
{
    private const byte EndOfRow = 0;
    private const byte EndOfPicture = 1;
    private const byte Step = 2;

    /// <param name="file">The complete file.</param>
    /// <param name="position">Start of the encoded data.</param>
    /// <param name="bits">4 or 8.</param>
    /// <param name="job">With the size of the picture.</param>
    /// <returns>[height, width] palette indices in file order; short rows are padded with 0.</returns>
    /// <exception cref="ImageException">The data is truncated or damaged.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> file, int position, int bits, ImageJob job)
    {
        job.RequireMemory((long)job.Width * job.Height);
        byte[] indices = new byte[job.Width * job.Height];
        int row = 0, column = 0;
        while (row < job.Height && (row < job.Height - 1 || column < job.Width))
        {
            if (position + 2 > file.Length) throw job.Fault($"BMP: the run-length data is cut off in row {row} of {job.Height}");
            int count = file[position], value = file[position + 1];
            position += 2;
            if (count == 0 && value == EndOfRow)
            {
                if (column == 0) throw job.Fault($"BMP: row {row} of the run-length data is empty");
                (row, column) = (row + 1, 0);
                continue;
            }
            if (count == 0 && (value is EndOfPicture or Step))
                throw job.Fault(value == Step ? "BMP: steps in run-length data are not read" : $"BMP: the run-length data ends in row {row} of {job.Height}");
            bool isRun = count > 0;
            int pixels = isRun ? count : value, bytes = isRun ? 0 : bits == 8 ? value : (value + 1) / 2;
            if (pixels > job.Width - column) throw job.Fault($"BMP: the run-length data goes over the end of row {row}");
            if (position + bytes > file.Length) throw job.Fault($"BMP: the run-length data is cut off in row {row} of {job.Height}");
            for (int index = 0; index < pixels; index++)
            {
                int stored = isRun ? value : file[position + (bits == 8 ? index : index / 2)];
                indices[row * job.Width + column++] = (byte)(bits == 8 ? stored : index % 2 == 0 ? stored >> 4 : stored & 15);
            }
            position += bytes;
            // Literal runs are padded to an even file position.
            if (!isRun) position += position & 1;
        }
        return indices;
    }
}

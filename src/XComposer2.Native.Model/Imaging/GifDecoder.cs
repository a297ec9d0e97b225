using System.Buffers.Binary;

namespace XComposer2.Native.Model;

/// <summary>
/// Decodes the first frame of a GIF. Transparent pixels show their palette colour, because alpha is dropped. Unknown bytes between blocks are skipped,
/// and a GIF without a palette is gray, as in Pillow.
/// </summary>
internal static class GifDecoder
{
    private const byte ExtensionBlock = 0x21;
    private const byte ImageBlock = 0x2C;
    private const byte GraphicControl = 0xF9;
    private const byte Trailer = 0x3B;
    private const int ScreenHeaderBytes = 13;
    private const int FrameHeaderBytes = 9;

    public static RgbImage Decode(ReadOnlySpan<byte> bytes, ImageJob job)
    {
        GifCursor cursor = new(bytes, ScreenHeaderBytes, job.Name);
        ReadOnlySpan<byte> palette = ToFirstFrame(ref cursor, bytes[10], out byte outside);
        return DecodeFrame(ref cursor, palette, outside, job);
    }

    /// <summary>Size of the logical screen, enlarged to contain the first frame.</summary>
    /// <exception cref="ImageException">The file ends before its first frame.</exception>
    public static (int Width, int Height) ReadSize(ReadOnlySpan<byte> bytes, string name)
    {
        GifCursor cursor = new(bytes, ScreenHeaderBytes, name);
        ToFirstFrame(ref cursor, bytes[10], out _);
        ReadOnlySpan<byte> frame = cursor.Take(FrameHeaderBytes);
        int right = BinaryPrimitives.ReadUInt16LittleEndian(frame) + BinaryPrimitives.ReadUInt16LittleEndian(frame[4..]);
        int bottom = BinaryPrimitives.ReadUInt16LittleEndian(frame[2..]) + BinaryPrimitives.ReadUInt16LittleEndian(frame[6..]);
        return (Math.Max(right, BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..])), Math.Max(bottom, BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..])));
    }

    /// <summary>Skips to the descriptor of the first frame.</summary>
    /// <returns>The global palette; empty if there is none.</returns>
    private static ReadOnlySpan<byte> ToFirstFrame(scoped ref GifCursor cursor, byte screenFlags, out byte outside)
    {
        ReadOnlySpan<byte> palette = (screenFlags & 0x80) != 0 ? cursor.Take(PaletteBytes(screenFlags)) : default;
        outside = 0;
        while (true)
        {
            byte block = cursor.TakeByte();
            if (block == ImageBlock) return palette;
            if (block == Trailer) throw cursor.Fault("no picture before the end mark");
            if (block != ExtensionBlock) continue;
            byte label = cursor.TakeByte();
            for (int length = cursor.TakeByte(); length != 0; length = cursor.TakeByte())
            {
                ReadOnlySpan<byte> data = cursor.Take(length);
                if (label == GraphicControl && length >= 4 && (data[0] & 1) != 0) outside = data[3];
            }
        }
    }

    private static RgbImage DecodeFrame(ref GifCursor cursor, scoped ReadOnlySpan<byte> palette, byte outside, ImageJob job)
    {
        (int width, int height) = (job.Width, job.Height);
        ReadOnlySpan<byte> frame = cursor.Take(FrameHeaderBytes);
        int left = BinaryPrimitives.ReadUInt16LittleEndian(frame);
        int top = BinaryPrimitives.ReadUInt16LittleEndian(frame[2..]);
        int frameWidth = BinaryPrimitives.ReadUInt16LittleEndian(frame[4..]);
        int frameHeight = BinaryPrimitives.ReadUInt16LittleEndian(frame[6..]);
        byte flags = frame[8];
        if (frameWidth == 0 || frameHeight == 0 || left + frameWidth > width || top + frameHeight > height)
            throw cursor.Fault($"a frame of {frameWidth} x {frameHeight} at ({left}, {top}) in a picture of {width} x {height}");
        if ((flags & 0x80) != 0) palette = cursor.Take(PaletteBytes(flags));
        job.RequireMemory((long)frameWidth * frameHeight);
        byte[] indices = GC.AllocateUninitializedArray<byte>(frameWidth * frameHeight);
        GifLzw.Decode(ref cursor, indices, job.Cancellation);

        byte[] pixels = GC.AllocateUninitializedArray<byte>(3 * width * height);
        if (frameWidth != width || frameHeight != height)
            for (int index = 0; index < pixels.Length; index += 3) Paint(palette, outside, pixels, index);
        bool interlaced = (flags & 0x40) != 0;
        int stored = 0;
        foreach ((int first, int step) in interlaced ? InterlacedPasses : PlainPass)
            for (int row = first; row < frameHeight; row += step, stored++)
                for (int column = 0; column < frameWidth; column++)
                    Paint(palette, indices[stored * frameWidth + column], pixels, 3 * ((top + row) * width + left + column));
        return new(width, height, pixels);
    }

    private static (int First, int Step)[] PlainPass => [(0, 1)];

    private static (int First, int Step)[] InterlacedPasses => [(0, 8), (4, 8), (2, 4), (1, 2)];

    private static int PaletteBytes(byte flags) => 3 << ((flags & 7) + 1);

    // Indices beyond the palette are gray levels, as in Pillow.
    private static void Paint(ReadOnlySpan<byte> palette, int index, byte[] pixels, int target)
    {
        bool known = 3 * index + 3 <= palette.Length;
        for (int channel = 0; channel < 3; channel++) pixels[target + channel] = known ? palette[3 * index + channel] : (byte)index;
    }
}

/// <summary>Sequential reader of a GIF; reading past the end throws <see cref="ImageException"/>.</summary>
internal ref struct GifCursor(ReadOnlySpan<byte> bytes, int position, string name)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly string _name = name;
    private int _position = position;

    public byte TakeByte() => Take(1)[0];

    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _position) throw Fault($"the file is cut off at byte {_bytes.Length}");
        ReadOnlySpan<byte> taken = _bytes.Slice(_position, count);
        _position += count;
        return taken;
    }

    public readonly ImageException Fault(string reason) => ImageException.For(_name, $"GIF: {reason}");
}

/// <summary>LZW of GIF: codes of up to 12 bits, least significant bit first, in blocks of up to 255 bytes.</summary>
internal static class GifLzw
{
    private const int MaxCodes = 4096;
    private const int MaxCodeBits = 12;

    /// <summary>Fills <paramref name="indices"/>; trailing data is ignored.</summary>
    public static void Decode(ref GifCursor cursor, Span<byte> indices, CancellationToken cancellation)
    {
        int literalBits = cursor.TakeByte();
        if (literalBits is < 1 or > 8) throw cursor.Fault($"codes of 1 to 8 bits expected, found {literalBits}");
        int clear = 1 << literalBits;
        int end = clear + 1;
        Span<ushort> prefix = stackalloc ushort[MaxCodes];
        Span<byte> suffix = stackalloc byte[MaxCodes];
        Span<byte> first = stackalloc byte[MaxCodes];
        Span<ushort> length = stackalloc ushort[MaxCodes];
        for (int literal = 0; literal < clear; literal++)
        {
            suffix[literal] = first[literal] = (byte)literal;
            length[literal] = 1;
        }

        int codeBits = literalBits + 1;
        int next = clear + 2;
        int previous = -1;
        int written = 0;
        uint window = 0;
        int windowBits = 0;
        ReadOnlySpan<byte> block = default;
        while (written < indices.Length)
        {
            while (windowBits < codeBits)
            {
                if (block.IsEmpty)
                {
                    block = cursor.Take(cursor.TakeByte());
                    cancellation.ThrowIfCancellationRequested();
                    if (block.IsEmpty) throw CutOff(cursor, written, indices.Length);
                }
                window |= (uint)block[0] << windowBits;
                windowBits += 8;
                block = block[1..];
            }
            int code = (int)(window & ((1u << codeBits) - 1));
            window >>= codeBits;
            windowBits -= codeBits;

            if (code == clear)
            {
                codeBits = literalBits + 1;
                next = clear + 2;
                previous = -1;
                continue;
            }
            if (code == end) throw CutOff(cursor, written, indices.Length);
            if (code > next || (code == next && previous < 0) || (previous < 0 && code > end))
                throw cursor.Fault($"damaged picture data (code {code} where {next} are known)");
            if (previous >= 0 && next < MaxCodes)
            {
                prefix[next] = (ushort)previous;
                first[next] = first[previous];
                length[next] = (ushort)(length[previous] + 1);
                suffix[next] = code == next ? first[previous] : first[code];
                next++;
                if (next == 1 << codeBits && codeBits < MaxCodeBits) codeBits++;
            }
            else if (code >= next)
            {
                throw cursor.Fault($"damaged picture data (code {code} where {next} are known)");
            }
            written += Write(code, prefix, suffix, length[code], indices[written..]);
            previous = code;
        }
    }

    // Strings are stored as a chain from the last index to the first. Indices beyond the target are dropped.
    private static int Write(int code, ReadOnlySpan<ushort> prefix, ReadOnlySpan<byte> suffix, int length, Span<byte> target)
    {
        for (int index = length - 1; index >= 0; index--)
        {
            if (index < target.Length) target[index] = suffix[code];
            code = prefix[code];
        }
        return Math.Min(length, target.Length);
    }

    private static ImageException CutOff(in GifCursor cursor, int written, int expected) =>
        cursor.Fault($"the picture data ends after {written} of {expected} pixels");
}

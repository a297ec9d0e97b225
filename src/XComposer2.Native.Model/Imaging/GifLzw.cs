namespace XComposer2.Native.Model;

/// <summary>GIF's variable-width LZW: codes of up to 12 bits, least significant bit first, in blocks of up to 255 bytes.</summary>
internal static class GifLzw
{
    private const int MaxCodes = 4096;
    private const int MaxCodeBits = 12;

    /// <summary>Fills <paramref name="indices"/>; data behind the last one is not looked at.</summary>
    public static void Decode(ref GifCursor cursor, Span<byte> indices, string name)
    {
        int literalBits = cursor.TakeByte();
        if (literalBits is < 1 or > 8) throw ImageException.For(name, $"GIF: codes of 1 to 8 bits expected, found {literalBits}");
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
                    if (block.IsEmpty) throw CutOff(written, indices.Length, name);
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
            if (code == end) throw CutOff(written, indices.Length, name);
            if (code > next || (code == next && previous < 0) || (previous < 0 && code > end))
                throw ImageException.For(name, $"GIF: damaged picture data (code {code} where {next} are known)");
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
                throw ImageException.For(name, $"GIF: damaged picture data (code {code} where {next} are known)");
            }
            written += Write(code, prefix, suffix, length[code], indices[written..]);
            previous = code;
        }
    }

    // A string is known from its last index backwards; what would not fit is left out.
    private static int Write(int code, ReadOnlySpan<ushort> prefix, ReadOnlySpan<byte> suffix, int length, Span<byte> target)
    {
        for (int index = length - 1; index >= 0; index--)
        {
            if (index < target.Length) target[index] = suffix[code];
            code = prefix[code];
        }
        return Math.Min(length, target.Length);
    }

    private static ImageException CutOff(int written, int expected, string name) =>
        ImageException.For(name, $"GIF: the picture data ends after {written} of {expected} pixels");
}

using System.Buffers.Binary;

namespace XComposer2.Native.Model;

/// <summary>Converts rows of TIFF samples to RGB.</summary>
internal static class TiffPixels
{
    /// <summary>Reverses the horizontal predictor in place.</summary>
    public static void AddLeft(Span<byte> row, int samples, int bits, bool isLittleEndian)
    {
        if (bits == 8)
        {
            for (int index = samples; index < row.Length; index++) row[index] += row[index - samples];
            return;
        }
        for (int index = 2 * samples; index + 1 < row.Length; index += 2)
        {
            Span<byte> value = row.Slice(index, 2);
            ReadOnlySpan<byte> left = row.Slice(index - 2 * samples, 2);
            if (isLittleEndian) BinaryPrimitives.WriteUInt16LittleEndian(value, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(value) + BinaryPrimitives.ReadUInt16LittleEndian(left)));
            else BinaryPrimitives.WriteUInt16BigEndian(value, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(value) + BinaryPrimitives.ReadUInt16BigEndian(left)));
        }
    }

    /// <param name="layout">Pixel layout.</param>
    /// <param name="isLittleEndian">Byte order of 16-bit samples.</param>
    /// <param name="planes">Data of a strip or tile; one array per sample if planar.</param>
    /// <param name="row">Row within the strip or tile.</param>
    /// <param name="target">[columns, 3].</param>
    public static void Expand(TiffLayout layout, bool isLittleEndian, byte[][] planes, int row, Span<byte> target)
    {
        int start = (int)(row * layout.RowBytes), length = (int)layout.RowBytes;
        if (layout.Bits < 8)
        {
            ExpandPacked(layout, planes[0].AsSpan(start, length), target);
            return;
        }
        int sampleBytes = layout.Bits / 8, high = isLittleEndian ? sampleBytes - 1 : 0;
        int pixelBytes = sampleBytes * (layout.IsPlanar ? 1 : layout.Samples), next = layout.IsPlanar ? 0 : sampleBytes;
        int used = Math.Min(layout.Samples, 4);
        Span<byte> samples = stackalloc byte[4];
        for (int column = 0; 3 * column < target.Length; column++)
        {
            int position = start + column * pixelBytes + high;
            for (int sample = 0; sample < used; sample++) samples[sample] = planes[layout.IsPlanar ? sample : 0][position + sample * next];
            Convert(layout, samples, target.Slice(3 * column, 3));
        }
    }

    private static void Convert(TiffLayout layout, ReadOnlySpan<byte> samples, Span<byte> rgb)
    {
        switch (layout.Color)
        {
            case TiffColor.Gray: rgb.Fill(samples[0]); break;
            case TiffColor.InvertedGray: rgb.Fill((byte)(255 - samples[0])); break;
            case TiffColor.Palette: layout.Palette.AsSpan(3 * samples[0], 3).CopyTo(rgb); break;
            case TiffColor.Cmyk:
                for (int channel = 0; channel < 3; channel++) rgb[channel] = InkColor.Level(samples[channel], samples[3]);
                break;
            default:
                for (int channel = 0; channel < 3; channel++)
                    rgb[channel] = !layout.IsPremultiplied ? samples[channel] : samples[3] == 0 ? (byte)0 : (byte)Math.Min(255, 255 * samples[channel] / samples[3]);
                break;
        }
    }

    private static void ExpandPacked(TiffLayout layout, ReadOnlySpan<byte> row, Span<byte> target)
    {
        int max = (1 << layout.Bits) - 1;
        int step = layout.Bits * (layout.IsPlanar ? 1 : layout.Samples);
        for (int column = 0; 3 * column < target.Length; column++)
        {
            int bit = column * step;
            int value = row[bit / 8] >> (8 - layout.Bits - bit % 8) & max;
            Span<byte> rgb = target.Slice(3 * column, 3);
            if (layout.Color == TiffColor.Palette) layout.Palette.AsSpan(3 * value, 3).CopyTo(rgb);
            else rgb.Fill((byte)((layout.Color == TiffColor.InvertedGray ? max - value : value) * 255 / max));
        }
    }
}

/// <summary>LZW of TIFF: codes of 9 to 12 bits, most significant bit first, with early change of the code width.</summary>
internal static class TiffLzw
{
    private const int Clear = 256;
    private const int End = 257;
    private const int MaxCodes = 4096;

    /// <returns>Null, or a description of the fault.</returns>
    public static string? Decode(ReadOnlySpan<byte> data, Span<byte> target)
    {
        Span<int> starts = stackalloc int[MaxCodes];
        Span<int> lengths = stackalloc int[MaxCodes];
        int next = End + 1, bits = 9, previousStart = 0, previousLength = 0, written = 0;
        long position = 0;
        while (written < target.Length)
        {
            if (position + bits > 8L * data.Length) return "cut off (LZW)";
            int code = 0;
            for (int taken = 0; taken < bits;)
            {
                int offset = (int)(position % 8), count = Math.Min(8 - offset, bits - taken);
                code = code << count | data[(int)(position / 8)] >> (8 - offset - count) & ((1 << count) - 1);
                position += count;
                taken += count;
            }
            if (code == End) return "cut off (LZW)";
            if (code == Clear)
            {
                (next, bits, previousLength) = (End + 1, 9, 0);
                continue;
            }
            int start = written, length;
            if (code < Clear)
            {
                target[written] = (byte)code;
                length = 1;
            }
            else
            {
                // An entry is the previous string plus the next byte; both are adjacent in the output.
                if (previousLength == 0 || code > next) return "damaged (LZW)";
                (int source, length) = code == next ? (previousStart, previousLength + 1) : (starts[code], lengths[code]);
                int fitting = Math.Min(length, target.Length - written);
                for (int index = 0; index < fitting; index++) target[written + index] = target[source + index];
            }
            if (previousLength > 0 && next < MaxCodes)
            {
                (starts[next], lengths[next]) = (previousStart, previousLength + 1);
                next++;
                if (next + 1 >= 1 << bits && bits < 12) bits++;
            }
            written += Math.Min(length, target.Length - written);
            (previousStart, previousLength) = (start, length);
        }
        return null;
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;

namespace XComposer2.Native.Model;

/// <summary>
/// Writes baseline JPEG files: YCbCr with 4:2:0 chroma, the quantisers and Huffman tables of annex K. No metadata except a colour profile.
/// The same pixels give the same bytes.
/// </summary>
public static class JpegEncoder
{
    /// <summary>A visually clean picture: quantisers of libjpeg's quality 85.</summary>
    public const int DefaultQuality = 85;

    /// <summary>Maximum width and height of the format.</summary>
    public const int MaximumSide = 65_500;

    private const int ProfilePieceBytes = 65_519;
    private const byte ProfileMarker = 0xE2, FrameMarker = 0xC0;

    /// <param name="image">At most <see cref="MaximumSide"/> per side.</param>
    /// <param name="quality">1 to 100, scaled as in libjpeg.</param>
    /// <param name="profile">ICC profile of the pixels; empty for sRGB.</param>
    /// <returns>The complete file.</returns>
    public static byte[] Encode(RgbImage image, int quality = DefaultQuality, ReadOnlyMemory<byte> profile = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Max(image.Width, image.Height), MaximumSide, nameof(image));
        byte[] luminance = JpegQuantisers.Scaled(JpegQuantisers.Luminance, quality), chrominance = JpegQuantisers.Scaled(JpegQuantisers.Chrominance, quality);
        ArrayBufferWriter<byte> file = new();
        file.Write<byte>([0xFF, 0xD8]);
        WriteSegment(file, JpegMarker.Jfif, [.. "JFIF\0"u8, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
        WriteProfile(file, profile.Span);
        WriteSegment(file, JpegMarker.Quantisers, [0, .. luminance, 1, .. chrominance]);
        Span<byte> frame = [8, 0, 0, 0, 0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
        BinaryPrimitives.WriteUInt16BigEndian(frame[1..], (ushort)image.Height);
        BinaryPrimitives.WriteUInt16BigEndian(frame[3..], (ushort)image.Width);
        WriteSegment(file, FrameMarker, frame);
        JpegCodes[] dc = [JpegCodes.Standard(isAc: false, 0), JpegCodes.Standard(isAc: false, 1)], ac = [JpegCodes.Standard(isAc: true, 0), JpegCodes.Standard(isAc: true, 1)];
        for (int table = 0; table < 2; table++)
        {
            WriteSegment(file, JpegMarker.HuffmanTables, [(byte)table, .. dc[table].Description]);
            WriteSegment(file, JpegMarker.HuffmanTables, [(byte)(0x10 | table), .. ac[table].Description]);
        }
        WriteSegment(file, JpegMarker.Scan, [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
        new JpegScanEncoder(image, luminance, chrominance, dc, ac, file).Run();
        file.Write<byte>([0xFF, JpegMarker.End]);
        return file.WrittenSpan.ToArray();
    }

    private static void WriteProfile(ArrayBufferWriter<byte> file, ReadOnlySpan<byte> profile)
    {
        int pieces = (profile.Length + ProfilePieceBytes - 1) / ProfilePieceBytes;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pieces, 255, nameof(profile));
        for (int piece = 0; piece < pieces; piece++)
        {
            ReadOnlySpan<byte> part = profile[(piece * ProfilePieceBytes)..Math.Min((piece + 1) * ProfilePieceBytes, profile.Length)];
            WriteSegment(file, ProfileMarker, [.. "ICC_PROFILE\0"u8, (byte)(piece + 1), (byte)pieces, .. part]);
        }
    }

    private static void WriteSegment(ArrayBufferWriter<byte> file, int marker, ReadOnlySpan<byte> content)
    {
        Span<byte> head = file.GetSpan(4);
        (head[0], head[1]) = (0xFF, (byte)marker);
        BinaryPrimitives.WriteUInt16BigEndian(head[2..], checked((ushort)(content.Length + 2)));
        file.Advance(4);
        file.Write(content);
    }
}

/// <summary>Quantisers of annex K in zigzag order.</summary>
internal static class JpegQuantisers
{
    public static ReadOnlySpan<byte> Luminance =>
    [
        16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
        56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
    ];

    public static ReadOnlySpan<byte> Chrominance =>
    [
        17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ];

    /// <summary>The scale of libjpeg: 50 leaves the table as it is.</summary>
    public static byte[] Scaled(ReadOnlySpan<byte> table, int quality)
    {
        int scale = quality < 50 ? 5000 / quality : 200 - (2 * quality);
        byte[] scaled = new byte[64];
        for (int index = 0; index < 64; index++)
            scaled[index] = (byte)Math.Clamp(((table[index] * scale) + 50) / 100, 1, 255);
        return scaled;
    }
}

/// <summary>A Huffman table for encoding.</summary>
internal sealed class JpegCodes
{
    private readonly (ushort Code, byte Length)[] codes = new (ushort, byte)[256];

    private JpegCodes(byte[] description)
    {
        Description = description;
        int code = 0, symbol = 16;
        for (int length = 1; length <= 16; length++, code <<= 1)
            for (int index = 0; index < description[length - 1]; index++)
                codes[description[symbol++]] = ((ushort)code++, (byte)length);
    }

    /// <summary>16 counts, then the symbols, as in the file.</summary>
    public byte[] Description { get; }

    /// <summary>Code and length of a symbol; length 0 if the table lacks it.</summary>
    public (ushort Code, byte Length) this[int symbol] => codes[symbol];

    /// <inheritdoc cref="JpegHuffmanTable.Standard"/>
    public static JpegCodes Standard(bool isAc, int index)
    {
        JpegHuffmanTable table = JpegHuffmanTable.Standard(isAc, index);
        return new JpegCodes([.. Enumerable.Range(1, 16).Select(length => (byte)table.CountOf(length)), .. table.Symbols]);
    }
}

/// <summary>The only scan of a baseline file: units of 16 x 16 pixels, four luminance blocks and one of each chroma.</summary>
internal sealed class JpegScanEncoder(RgbImage image, byte[] luminance, byte[] chrominance, JpegCodes[] dc, JpegCodes[] ac, ArrayBufferWriter<byte> file)
{
    private const int BlockSide = 8;
    private const int UnitSide = 16;

    private static readonly float[] Cosines = CreateCosines();

    private readonly float[] unitY = new float[UnitSide * UnitSide], unitCb = new float[UnitSide * UnitSide], unitCr = new float[UnitSide * UnitSide];
    private readonly float[] samples = new float[64], rows = new float[64];
    private readonly int[] previous = new int[3];
    private ulong window;
    private int windowBits;

    public void Run()
    {
        for (int top = 0; top < image.Height; top += UnitSide)
        {
            for (int left = 0; left < image.Width; left += UnitSide)
            {
                LoadUnit(left, top);
                for (int block = 0; block < 4; block++)
                {
                    for (int row = 0; row < BlockSide; row++)
                        unitY.AsSpan((((block / 2 * BlockSide) + row) * UnitSide) + (block % 2 * BlockSide), BlockSide).CopyTo(samples.AsSpan(row * BlockSide));
                    EncodeBlock(0, luminance, dc[0], ac[0]);
                }
                EncodeChroma(unitCb, 1);
                EncodeChroma(unitCr, 2);
            }
        }

        // The last byte is filled with ones.
        if (windowBits > 0)
            Put((1u << (8 - windowBits)) - 1, 8 - windowBits);
    }

    /// <summary>Pixels beyond the edge repeat the last row and column.</summary>
    private void LoadUnit(int left, int top)
    {
        ReadOnlySpan<byte> pixels = image.Pixels.Span;
        for (int row = 0; row < UnitSide; row++)
        {
            ReadOnlySpan<byte> line = pixels.Slice(3 * image.Width * Math.Min(top + row, image.Height - 1), 3 * image.Width);
            for (int column = 0; column < UnitSide; column++)
            {
                ReadOnlySpan<byte> rgb = line.Slice(3 * Math.Min(left + column, image.Width - 1), 3);
                float red = rgb[0], green = rgb[1], blue = rgb[2];
                int at = (row * UnitSide) + column;
                unitY[at] = (0.299f * red) + (0.587f * green) + (0.114f * blue) - 128;
                unitCb[at] = (-0.168736f * red) - (0.331264f * green) + (0.5f * blue);
                unitCr[at] = (0.5f * red) - (0.418688f * green) - (0.081312f * blue);
            }
        }
    }

    private void EncodeChroma(float[] unit, int component)
    {
        for (int row = 0; row < BlockSide; row++)
        {
            for (int column = 0; column < BlockSide; column++)
            {
                int at = (2 * row * UnitSide) + (2 * column);
                samples[(row * BlockSide) + column] = (unit[at] + unit[at + 1] + unit[at + UnitSide] + unit[at + UnitSide + 1]) / 4;
            }
        }
        EncodeBlock(component, chrominance, dc[1], ac[1]);
    }

    private void EncodeBlock(int component, byte[] quantisers, JpegCodes dcCodes, JpegCodes acCodes)
    {
        Transform();
        int average = Quantised(0, quantisers);
        PutCoefficient(dcCodes, 0, average - previous[component]);
        previous[component] = average;
        int zeros = 0;
        for (int index = 1; index < 64; index++)
        {
            int value = Quantised(index, quantisers);
            if (value == 0)
            {
                zeros++;
                continue;
            }
            for (; zeros >= 16; zeros -= 16)
                PutCode(acCodes[0xF0]);
            PutCoefficient(acCodes, zeros, value);
            zeros = 0;
        }
        if (zeros > 0)
            PutCode(acCodes[0]);
    }

    /// <summary>The coefficient at a position of the zigzag order. Baseline files have 8-bit samples, whose coefficients have at most 10 bits.</summary>
    private int Quantised(int index, byte[] quantisers) => Math.Clamp((int)MathF.Round(samples[JpegInverseDct.ZigZag[index]] / quantisers[index]), -1023, 1023);

    /// <summary>The two-dimensional DCT of <see cref="samples"/>, in place.</summary>
    private void Transform()
    {
        for (int row = 0; row < BlockSide; row++)
            for (int frequency = 0; frequency < BlockSide; frequency++)
                rows[(row * BlockSide) + frequency] = Product(samples.AsSpan(row * BlockSide, BlockSide), frequency);
        Span<float> column = stackalloc float[BlockSide];
        for (int at = 0; at < BlockSide; at++)
        {
            for (int row = 0; row < BlockSide; row++)
                column[row] = rows[(row * BlockSide) + at];
            for (int frequency = 0; frequency < BlockSide; frequency++)
                samples[(frequency * BlockSide) + at] = Product(column, frequency);
        }
    }

    private static float Product(ReadOnlySpan<float> values, int frequency)
    {
        float sum = 0;
        ReadOnlySpan<float> cosines = Cosines.AsSpan(frequency * BlockSide, BlockSide);
        for (int index = 0; index < BlockSide; index++)
            sum += values[index] * cosines[index];
        return sum;
    }

    private void PutCoefficient(JpegCodes codes, int zeros, int value)
    {
        int bits = 32 - BitOperations.LeadingZeroCount((uint)Math.Abs(value));
        PutCode(codes[(zeros << 4) | bits]);
        // A negative value is the complement of its magnitude.
        if (bits > 0)
            Put((uint)(value < 0 ? value + (1 << bits) - 1 : value), bits);
    }

    private void PutCode((ushort Code, byte Length) code) => Put(code.Code, code.Length);

    private void Put(uint bits, int count)
    {
        window = (window << count) | bits;
        windowBits += count;
        for (; windowBits >= 8; windowBits -= 8)
        {
            byte next = (byte)(window >> (windowBits - 8));
            file.GetSpan(1)[0] = next;
            file.Advance(1);
            // A zero is stuffed after 0xFF, so that data is not read as a marker.
            if (next == 0xFF)
                file.Write<byte>([0]);
        }
    }

    private static float[] CreateCosines()
    {
        float[] cosines = new float[64];
        for (int frequency = 0; frequency < BlockSide; frequency++)
            for (int index = 0; index < BlockSide; index++)
                cosines[(frequency * BlockSide) + index] = (float)((frequency == 0 ? Math.Sqrt(0.125) : 0.5) * Math.Cos(((2 * index) + 1) * frequency * Math.PI / 16));
        return cosines;
    }
}

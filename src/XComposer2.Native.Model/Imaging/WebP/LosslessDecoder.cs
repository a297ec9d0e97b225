using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Lossless WebP (VP8L). Alpha is dropped.</summary>
internal ref struct LosslessDecoder
{
    private const int HeaderBits = 8 + 14 + 14;
    private const int Literals = 256;
    private const int LengthCodes = 24;
    private const int DistanceCodes = 40;
    private const int CodesOfGroup = 5;
    private const uint CacheHash = 0x1E35A7BD;
    private readonly ImageJob _job;
    private LosslessBits _bits;

    private LosslessDecoder(ReadOnlySpan<byte> data, ImageJob job)
    {
        _bits = new LosslessBits(data);
        _job = job;
    }

    private static ReadOnlySpan<byte> LengthOrder => [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>Distance codes of nearby pixels: rows up in the high four bits, 8 minus columns left in the low four bits.</summary>
    private static ReadOnlySpan<byte> NearbyPixels =>
    [
        24, 7, 23, 25, 40, 6, 39, 41, 22, 26, 38, 42, 56, 5, 55, 57, 21, 27, 54, 58, 37, 43, 72, 4, 71, 73, 20, 28, 53, 59,
        70, 74, 36, 44, 88, 69, 75, 52, 60, 3, 87, 89, 19, 29, 86, 90, 35, 45, 68, 76, 85, 91, 51, 61, 104, 2, 103, 105, 18, 30,
        102, 106, 34, 46, 84, 92, 67, 77, 101, 107, 50, 62, 120, 1, 119, 121, 83, 93, 17, 31, 100, 108, 66, 78, 118, 122, 33, 47, 117, 123,
        49, 63, 99, 109, 82, 94, 0, 116, 124, 65, 79, 16, 32, 98, 110, 48, 115, 125, 81, 95, 64, 114, 126, 97, 111, 80, 113, 127, 96, 112,
    ];

    /// <param name="data">The complete chunk.</param>
    /// <param name="job">Context with the size of the frame.</param>
    /// <returns>[height, width, 3].</returns>
    public static byte[] Decode(ReadOnlySpan<byte> data, ImageJob job) => new LosslessDecoder(data, job).Run();

    private byte[] Run()
    {
        for (int bit = 0; bit < HeaderBits; bit += 12) _bits.Take(12);
        _bits.Take(1);
        int version = _bits.Take(3);
        if (version != 0) throw Fault($"version 0 of the lossless coding expected, found {version}");
        int width = _job.Width, height = _job.Height;
        List<LosslessTransform> transforms = [];
        while (_bits.Take(1) != 0)
        {
            LosslessTransform transform = ReadTransform(width, height);
            if (transforms.Exists(earlier => earlier.Kind == transform.Kind)) throw Fault("a transform that is stated twice");
            transforms.Add(transform);
            width = transform.PackedWidth(width);
            CheckEnd();
        }
        uint[] pixels = ReadImage(width, height, isMain: true);
        for (int index = transforms.Count - 1; index >= 0; index--)
            pixels = transforms[index].Undo(pixels, height, _job.Cancellation);
        byte[] rgb = GC.AllocateUninitializedArray<byte>(3 * _job.Width * _job.Height);
        for (int index = 0; index < pixels.Length; index++)
            (rgb[3 * index], rgb[3 * index + 1], rgb[3 * index + 2]) = ((byte)(pixels[index] >> 16), (byte)(pixels[index] >> 8), (byte)pixels[index]);
        return rgb;
    }

    private LosslessTransform ReadTransform(int width, int height)
    {
        LosslessTransformKind kind = (LosslessTransformKind)_bits.Take(2);
        if (kind == LosslessTransformKind.SubtractGreen) return new LosslessTransform(kind, width, 0, []);
        if (kind == LosslessTransformKind.Palette)
        {
            int colors = _bits.Take(8) + 1;
            int packing = colors > 16 ? 0 : colors > 4 ? 1 : colors > 2 ? 2 : 3;
            uint[] palette = ReadImage(colors, 1, isMain: false);
            for (int index = 1; index < colors; index++) palette[index] = LosslessTransform.Add(palette[index], palette[index - 1]);
            Array.Resize(ref palette, 1 << (8 >> packing));
            return new LosslessTransform(kind, width, packing, palette);
        }
        int bits = _bits.Take(3) + 2;
        return new LosslessTransform(kind, width, bits, ReadImage(Blocks(width, bits), Blocks(height, bits), isMain: false));
    }

    /// <summary>Reads an entropy-coded image; the inverse transforms are applied later.</summary>
    private uint[] ReadImage(int width, int height, bool isMain)
    {
        int cacheBits = _bits.Take(1) != 0 ? _bits.Take(4) : 0;
        if (cacheBits > 11) throw Fault($"a colour cache of {cacheBits} bits");
        int groupBits = 0, groups = 1;
        uint[] groupImage = [];
        if (isMain && _bits.Take(1) != 0)
        {
            groupBits = _bits.Take(3) + 2;
            groupImage = ReadImage(Blocks(width, groupBits), Blocks(height, groupBits), isMain: false);
            for (int index = 0; index < groupImage.Length; index++)
            {
                groupImage[index] = groupImage[index] >> 8 & 0xFFFF;
                groups = Math.Max(groups, (int)groupImage[index] + 1);
            }
        }
        LosslessCode[] codes = new LosslessCode[CodesOfGroup * groups];
        byte[] lengths = new byte[Literals + LengthCodes + (1 << cacheBits)];
        int first = Literals + LengthCodes + (cacheBits > 0 ? 1 << cacheBits : 0);
        for (int index = 0; index < codes.Length; index++)
        {
            codes[index] = ReadCode(lengths.AsSpan(0, (index % CodesOfGroup) switch { 0 => first, 4 => DistanceCodes, _ => Literals }));
            CheckEnd();
        }
        uint[] pixels = GC.AllocateUninitializedArray<uint>(checked(width * height));
        ReadPixels(pixels, width, codes, groupImage, groupBits, cacheBits);
        return pixels;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ReadPixels(uint[] pixels, int width, LosslessCode[] codes, uint[] groupImage, int groupBits, int cacheBits)
    {
        uint[] cache = cacheBits > 0 ? new uint[1 << cacheBits] : [];
        int cacheShift = 32 - cacheBits, groupsAcross = Blocks(width, groupBits);
        ReadOnlySpan<LosslessCode> group = codes;
        for (int index = 0, row = 0, column = 0; index < pixels.Length;)
        {
            if (groupImage.Length > 0) group = codes.AsSpan(CodesOfGroup * (int)groupImage[(row >> groupBits) * groupsAcross + (column >> groupBits)], CodesOfGroup);
            int symbol = _bits.Symbol(group[0]), count = 1;
            if (symbol < Literals)
            {
                int red = _bits.Symbol(group[1]), blue = _bits.Symbol(group[2]), alpha = _bits.Symbol(group[3]);
                pixels[index] = (uint)(alpha << 24 | red << 16 | symbol << 8 | blue);
            }
            else if (symbol >= Literals + LengthCodes) pixels[index] = cache[symbol - Literals - LengthCodes];
            else
            {
                count = Extended(symbol - Literals);
                int distance = Distance(Extended(_bits.Symbol(group[4])), width);
                if (distance > index || count > pixels.Length - index) throw Fault("damaged: a copy from outside of the picture");
                for (int copied = 0; copied < count; copied++) pixels[index + copied] = pixels[index + copied - distance];
            }
            if (_bits.IsOverrun) throw Fault("the picture data is cut off");
            if (cacheBits > 0)
                for (int copied = 0; copied < count; copied++) cache[CacheHash * pixels[index + copied] >> cacheShift] = pixels[index + copied];
            index += count;
            column += count;
            if (column < width) continue;
            _job.Cancellation.ThrowIfCancellationRequested();
            row += column / width;
            column %= width;
        }
    }

    // Prefix code with extra bits for lengths and distances.
    private int Extended(int symbol)
    {
        if (symbol < 4) return symbol + 1;
        int extra = (symbol - 2) >> 1;
        return ((2 + (symbol & 1)) << extra) + _bits.Take(extra) + 1;
    }

    private static int Distance(int code, int width)
    {
        if (code > NearbyPixels.Length) return code - NearbyPixels.Length;
        int step = NearbyPixels[code - 1];
        return Math.Max((step >> 4) * width + 8 - (step & 15), 1);
    }

    private LosslessCode ReadCode(Span<byte> lengths)
    {
        lengths.Clear();
        if (_bits.Take(1) != 0)
        {
            int symbols = _bits.Take(1) + 1;
            int first = _bits.Take(_bits.Take(1) != 0 ? 8 : 1);
            if (first >= lengths.Length) throw Fault("damaged: a symbol beyond its code");
            lengths[first] = 1;
            if (symbols == 2)
            {
                int second = _bits.Take(8);
                if (second >= lengths.Length) throw Fault("damaged: a symbol beyond its code");
                lengths[second] = 1;
            }
        }
        else ReadLengths(lengths);
        return LosslessCode.Create(lengths) ?? throw Fault("damaged: an incomplete prefix code");
    }

    private void ReadLengths(Span<byte> lengths)
    {
        Span<byte> own = stackalloc byte[LengthOrder.Length];
        own.Clear();
        int stated = _bits.Take(4) + 4;
        for (int index = 0; index < stated; index++) own[LengthOrder[index]] = (byte)_bits.Take(3);
        LosslessCode code = LosslessCode.Create(own) ?? throw Fault("damaged: an incomplete prefix code");
        int left = _bits.Take(1) != 0 ? 2 + _bits.Take(2 + 2 * _bits.Take(3)) : lengths.Length;
        if (left > lengths.Length) throw Fault("damaged: more code lengths than symbols");
        byte previous = 8;
        for (int symbol = 0; symbol < lengths.Length && left-- > 0;)
        {
            int length = _bits.Symbol(code);
            if (length < 16)
            {
                lengths[symbol++] = (byte)length;
                if (length != 0) previous = (byte)length;
                continue;
            }
            int count = length switch { 16 => 3 + _bits.Take(2), 17 => 3 + _bits.Take(3), _ => 11 + _bits.Take(7) };
            if (count > lengths.Length - symbol) throw Fault("damaged: more code lengths than symbols");
            lengths.Slice(symbol, count).Fill(length == 16 ? previous : (byte)0);
            symbol += count;
        }
    }

    private static int Blocks(int size, int bits) => (size + (1 << bits) - 1) >> bits;

    private readonly void CheckEnd()
    {
        if (_bits.IsOverrun) throw Fault("the picture data is cut off");
    }

    private readonly ImageException Fault(string reason) => _job.Fault($"WebP: {reason}");
}

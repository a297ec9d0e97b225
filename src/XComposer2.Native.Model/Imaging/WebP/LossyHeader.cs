namespace XComposer2.Native.Model;

/// <summary>Quantiser and filter parameters of a segment.</summary>
/// <param name="Y1Dc">Luma DC step.</param>
/// <param name="Y1Ac">Luma AC step.</param>
/// <param name="Y2Dc">Y2 DC step.</param>
/// <param name="Y2Ac">Y2 AC step.</param>
/// <param name="UvDc">Chroma DC step.</param>
/// <param name="UvAc">Chroma AC step.</param>
/// <param name="WholeFilter">Filter of macroblocks with one prediction mode.</param>
/// <param name="SplitFilter">Filter of split macroblocks.</param>
internal readonly record struct LossySegment(int Y1Dc, int Y1Ac, int Y2Dc, int Y2Ac, int UvDc, int UvAc, LossyFilterStrength WholeFilter, LossyFilterStrength SplitFilter);

/// <summary>Loop filter parameters.</summary>
/// <param name="Limit">Edge limit; 0 disables the filter.</param>
/// <param name="InnerLimit">Interior limit.</param>
/// <param name="EdgeThreshold">High edge variance threshold.</param>
internal readonly record struct LossyFilterStrength(int Limit, int InnerLimit, int EdgeThreshold);

/// <summary>VP8 frame header (RFC 6386 section 9).</summary>
internal sealed class LossyHeader
{
    private const int StartBytes = 10;
    private const int Segments = 4;

    private LossyHeader(LossyBits bits) => Bits = bits;

    /// <summary>The first partition, positioned at the macroblock modes.</summary>
    public LossyBits Bits { get; }

    public LossyBits[] Partitions { get; private set; } = [];

    public LossySegment[] SegmentTable { get; } = new LossySegment[Segments];

    /// <summary>Probabilities of the segment tree; empty if there is no segment map.</summary>
    public int[] SegmentTree { get; private set; } = [];

    public bool IsSimpleFilter { get; private set; }

    /// <summary>[4, 8, 3, 11].</summary>
    public byte[] Coefficients { get; } = LossyTables.Coefficients.ToArray();

    /// <summary>Probability that a macroblock has coefficients; -1 if skipping is disabled.</summary>
    public int SkipProbability { get; private set; } = -1;

    /// <returns>The header, or a description of the fault.</returns>
    public static (LossyHeader? Header, string? Fault) Read(ReadOnlyMemory<byte> data)
    {
        ReadOnlySpan<byte> bytes = data.Span;
        if (bytes.Length < StartBytes) return (null, "the picture data is cut off");
        int start = bytes[0] | bytes[1] << 8 | bytes[2] << 16, firstBytes = start >> 5;
        if ((start >> 1 & 7) > 3) return (null, $"profile 0 to 3 of the lossy coding expected, found {start >> 1 & 7}");
        if ((start >> 4 & 1) == 0) return (null, "a frame that is not to be shown");
        if (firstBytes > bytes.Length - StartBytes) return (null, "the picture data is cut off in its first partition");
        LossyHeader header = new(new LossyBits(data.Slice(StartBytes, firstBytes)));
        string? fault = header.ReadAll(data[(StartBytes + firstBytes)..]);
        return (header, header.Bits.IsOverrun ? "the picture data is cut off in its header" : fault);
    }

    private string? ReadAll(ReadOnlyMemory<byte> partitions)
    {
        Bits.Number(2);
        int[] quantisers = new int[Segments], strengths = new int[Segments];
        bool hasSegments = Bits.Bit(128) != 0, isAbsolute = false;
        if (hasSegments)
        {
            bool hasTree = Bits.Bit(128) != 0;
            if (Bits.Bit(128) != 0)
            {
                isAbsolute = Bits.Bit(128) != 0;
                for (int segment = 0; segment < Segments; segment++) quantisers[segment] = Bits.OptionalSigned(7);
                for (int segment = 0; segment < Segments; segment++) strengths[segment] = Bits.OptionalSigned(6);
            }
            if (hasTree)
            {
                SegmentTree = new int[3];
                for (int node = 0; node < 3; node++) SegmentTree[node] = Bits.Bit(128) != 0 ? Bits.Number(8) : 255;
            }
        }
        IsSimpleFilter = Bits.Bit(128) != 0;
        int level = Bits.Number(6), sharpness = Bits.Number(3), wholeDelta = 0, splitDelta = 0;
        if (Bits.Bit(128) != 0 && Bits.Bit(128) != 0)
        {
            // Key frames use only the first reference delta and the first mode delta.
            for (int index = 0; index < 8; index++)
            {
                int delta = Bits.OptionalSigned(6);
                if (index == 0) wholeDelta = delta;
                if (index == 4) splitDelta = delta;
            }
        }
        string? fault = ReadPartitions(partitions);
        if (fault is not null) return fault;
        int quantiser = Bits.Number(7);
        Span<int> deltas = [Bits.OptionalSigned(4), Bits.OptionalSigned(4), Bits.OptionalSigned(4), Bits.OptionalSigned(4), Bits.OptionalSigned(4)];
        for (int segment = 0; segment < Segments; segment++)
        {
            int index = hasSegments ? quantisers[segment] + (isAbsolute ? 0 : quantiser) : quantiser;
            int filter = hasSegments ? strengths[segment] + (isAbsolute ? 0 : level) : level;
            // Level 0 disables the filter for all segments.
            LossyFilterStrength none = default;
            SegmentTable[segment] = new LossySegment(
                Dc(index + deltas[0]), Ac(index), 2 * Dc(index + deltas[1]), Math.Max(Ac(index + deltas[2]) * 101581 >> 16, 8),
                LossyTables.DcSteps[Math.Clamp(index + deltas[3], 0, 117)], Ac(index + deltas[4]),
                level == 0 ? none : Strength(filter + wholeDelta, sharpness), level == 0 ? none : Strength(filter + wholeDelta + splitDelta, sharpness));
        }
        Bits.Bit(128);
        for (int node = 0; node < Coefficients.Length; node++)
            if (Bits.Bit(LossyTables.CoefficientChanges[node]) != 0) Coefficients[node] = (byte)Bits.Number(8);
        if (Bits.Bit(128) != 0) SkipProbability = Bits.Number(8);
        return null;
    }

    private string? ReadPartitions(ReadOnlyMemory<byte> rest)
    {
        int count = 1 << Bits.Number(2), sizes = 3 * (count - 1);
        if (rest.Length <= sizes) return "the picture data is cut off before its partitions";
        Partitions = new LossyBits[count];
        ReadOnlyMemory<byte> data = rest[sizes..];
        for (int index = 0; index < count; index++)
        {
            ReadOnlySpan<byte> size = index < count - 1 ? rest.Span.Slice(3 * index, 3) : default;
            int bytes = index < count - 1 ? Math.Min(size[0] | size[1] << 8 | size[2] << 16, data.Length) : data.Length;
            Partitions[index] = new LossyBits(data[..bytes]);
            data = data[bytes..];
            if (data.IsEmpty && index < count - 1) return "the picture data is cut off within its partitions";
        }
        return null;
    }

    private static int Dc(int index) => LossyTables.DcSteps[Math.Clamp(index, 0, 127)];

    private static int Ac(int index) => LossyTables.AcSteps[Math.Clamp(index, 0, 127)];

    private static LossyFilterStrength Strength(int stated, int sharpness)
    {
        int level = Math.Clamp(stated, 0, 63);
        if (level == 0) return default;
        int inner = sharpness > 0 ? Math.Min(level >> (sharpness > 4 ? 2 : 1), 9 - sharpness) : level;
        inner = Math.Max(inner, 1);
        return new LossyFilterStrength(2 * level + inner, inner, level >= 40 ? 2 : level >= 15 ? 1 : 0);
    }
}

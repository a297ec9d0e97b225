using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>
/// Lossy WebP: a VP8 key frame (RFC 6386) with the pixels of libwebp. Truncated partitions are rejected, as in libwebp.
/// </summary>
internal sealed class LossyDecoder
{
    private const int CoefficientsPerUnit = 25 * 16;
    private readonly ImageJob _job;
    private readonly LossyHeader _header;
    private readonly LossyFrame _frame;
    private readonly LossyUnit[] _units;
    private readonly byte[] _modesAbove;
    private readonly byte[] _modesLeft = new byte[4];
    // Nonzero flags of the blocks above, per macroblock: four Y, two U, two V, one Y2.
    private readonly byte[] _above;
    private readonly byte[] _left = new byte[9];
    private readonly short[] _coefficients = new short[CoefficientsPerUnit];

    private LossyDecoder(LossyHeader header, ImageJob job)
    {
        _header = header;
        _job = job;
        _frame = new LossyFrame(job.Width, job.Height);
        _units = new LossyUnit[_frame.UnitsAcross * _frame.UnitsDown];
        _modesAbove = new byte[4 * _frame.UnitsAcross];
        _above = new byte[9 * _frame.UnitsAcross];
    }

    private static ReadOnlySpan<byte> Bands => [0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0];

    private static ReadOnlySpan<byte> ZigZag => [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];

    // Tree of block modes: positive values are nodes, others are negated modes.
    private static ReadOnlySpan<sbyte> ModeTree => [0, 1, -1, 2, -2, 3, 4, 6, -3, 5, -4, -5, -6, 7, -7, 8, -8, -9];

    /// <param name="data">The complete chunk.</param>
    /// <param name="job">Context with the size of the frame.</param>
    /// <returns>[height, width, 3].</returns>
    public static byte[] Decode(ReadOnlyMemory<byte> data, ImageJob job)
    {
        (LossyHeader? header, string? fault) = LossyHeader.Read(data);
        return fault is null ? new LossyDecoder(header!, job).Run() : throw job.Fault($"WebP: {fault}");
    }

    private byte[] Run()
    {
        LossyPredictor predictor = new(_frame);
        for (int row = 0; row < _frame.UnitsDown; row++)
        {
            _job.Cancellation.ThrowIfCancellationRequested();
            ReadModes(row);
            if (_header.Bits.IsOverrun) throw _job.Fault($"WebP: the picture data is cut off in row {row} of {_frame.UnitsDown}");
            LossyBits tokens = _header.Partitions[row & (_header.Partitions.Length - 1)];
            _left.AsSpan().Clear();
            for (int column = 0; column < _frame.UnitsAcross; column++)
            {
                ref LossyUnit unit = ref _units[row * _frame.UnitsAcross + column];
                ReadCoefficients(tokens, ref unit, _above.AsSpan(9 * column, 9));
                if (tokens.IsOverrun) throw _job.Fault($"WebP: the picture data is cut off in row {row} of {_frame.UnitsDown}");
                predictor.Run(unit, _coefficients, column, row);
            }
        }
        for (int row = 0; row < _frame.UnitsDown; row++)
        {
            _job.Cancellation.ThrowIfCancellationRequested();
            for (int column = 0; column < _frame.UnitsAcross; column++)
            {
                LossyUnit unit = _units[row * _frame.UnitsAcross + column];
                LossySegment segment = _header.SegmentTable[unit.Segment];
                LossyFilter.Run(_frame, column, row, unit.IsSplit ? segment.SplitFilter : segment.WholeFilter, unit.HasInnerEdges, _header.IsSimpleFilter);
            }
        }
        return LossyColor.Convert(_frame, _job);
    }

    private void ReadModes(int row)
    {
        LossyBits bits = _header.Bits;
        _modesLeft.AsSpan().Clear();
        for (int column = 0; column < _frame.UnitsAcross; column++)
        {
            LossyUnit unit = default;
            if (_header.SegmentTree is [int root, int low, int high]) unit.Segment = (byte)(bits.Bit(root) == 0 ? bits.Bit(low) : 2 + bits.Bit(high));
            unit.IsSkipped = _header.SkipProbability >= 0 && bits.Bit(_header.SkipProbability) != 0;
            unit.IsSplit = bits.Bit(145) == 0;
            Span<byte> above = _modesAbove.AsSpan(4 * column, 4);
            if (unit.IsSplit)
            {
                for (int y = 0; y < 4; y++)
                {
                    int mode = _modesLeft[y];
                    for (int x = 0; x < 4; x++)
                    {
                        ReadOnlySpan<byte> probabilities = LossyTables.BlockModes.Slice(9 * (10 * above[x] + mode), 9);
                        int node = ModeTree[bits.Bit(probabilities[0])];
                        while (node > 0) node = ModeTree[2 * node + bits.Bit(probabilities[node])];
                        mode = -node;
                        above[x] = (byte)mode;
                        unit.Modes[4 * y + x] = (byte)mode;
                    }
                    _modesLeft[y] = (byte)mode;
                }
            }
            else
            {
                byte mode = bits.Bit(156) != 0 ? bits.Bit(128) != 0 ? LossyPredictor.TrueMotion : LossyPredictor.FromLeft
                    : bits.Bit(163) != 0 ? LossyPredictor.FromTop : LossyPredictor.Dc;
                unit.Modes[0] = mode;
                above.Fill(mode);
                _modesLeft.AsSpan().Fill(mode);
            }
            unit.ChromaMode = bits.Bit(142) == 0 ? LossyPredictor.Dc : bits.Bit(114) == 0 ? LossyPredictor.FromTop
                : bits.Bit(183) != 0 ? LossyPredictor.TrueMotion : LossyPredictor.FromLeft;
            _units[row * _frame.UnitsAcross + column] = unit;
        }
    }

    private void ReadCoefficients(LossyBits tokens, ref LossyUnit unit, Span<byte> above)
    {
        _coefficients.AsSpan().Clear();
        unit.HasInnerEdges = unit.IsSplit;
        if (unit.IsSkipped)
        {
            above[..8].Clear();
            _left.AsSpan(0, 8).Clear();
            if (!unit.IsSplit) above[8] = _left[8] = 0;
            return;
        }
        LossySegment segment = _header.SegmentTable[unit.Segment];
        int first = 0, kind = 3;
        if (!unit.IsSplit)
        {
            Span<short> second = _coefficients.AsSpan(24 * 16, 16);
            int end = Block(tokens, 1, above[8] + _left[8], segment.Y2Dc, segment.Y2Ac, 0, second);
            above[8] = _left[8] = (byte)(end > 0 ? 1 : 0);
            LossyPredictor.SecondTransform(second, end > 1, _coefficients);
            (first, kind) = (1, 0);
        }
        bool hasCoefficients = false;
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 4; x++)
                hasCoefficients |= Block(tokens, kind, first, 4 * y + x, segment.Y1Dc, segment.Y1Ac, ref above[x], ref _left[y]);
        for (int plane = 0; plane < 2; plane++)
            for (int y = 0; y < 2; y++)
                for (int x = 0; x < 2; x++)
                    hasCoefficients |= Block(tokens, 2, 0, 16 + 4 * plane + 2 * y + x, segment.UvDc, segment.UvAc, ref above[4 + 2 * plane + x], ref _left[4 + 2 * plane + y]);
        unit.HasInnerEdges |= hasCoefficients;
    }

    private bool Block(LossyBits tokens, int kind, int first, int index, int dc, int ac, ref byte above, ref byte left)
    {
        Span<short> block = _coefficients.AsSpan(16 * index, 16);
        int end = Block(tokens, kind, above + left, dc, ac, first, block);
        above = left = (byte)(end > first ? 1 : 0);
        return end > 1 || block[0] != 0;
    }

    /// <summary>Reads the coefficients of one block.</summary>
    /// <returns>End position of the coded coefficients.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Block(LossyBits tokens, int kind, int context, int dc, int ac, int first, Span<short> block)
    {
        ReadOnlySpan<byte> probabilities = _header.Coefficients.AsSpan(kind * 8 * 33, 8 * 33);
        ReadOnlySpan<byte> node = probabilities.Slice(33 * Bands[first] + 11 * context, 11);
        for (int index = first; index < 16; index++)
        {
            if (tokens.Bit(node[0]) == 0) return index;
            while (tokens.Bit(node[1]) == 0)
            {
                if (++index == 16) return 16;
                node = probabilities.Slice(33 * Bands[index], 11);
            }
            int value = tokens.Bit(node[2]) == 0 ? 1 : Large(tokens, node);
            node = probabilities.Slice(33 * Bands[index + 1] + (value == 1 ? 11 : 22), 11);
            block[ZigZag[index]] = (short)((tokens.Bit(128) != 0 ? -value : value) * (index > 0 ? ac : dc));
        }
        return 16;
    }

    private static int Large(LossyBits tokens, ReadOnlySpan<byte> node)
    {
        if (tokens.Bit(node[3]) == 0) return tokens.Bit(node[4]) == 0 ? 2 : 3 + tokens.Bit(node[5]);
        if (tokens.Bit(node[6]) == 0)
        {
            if (tokens.Bit(node[7]) == 0) return 5 + tokens.Bit(159);
            int high = tokens.Bit(165);
            return 7 + 2 * high + tokens.Bit(145);
        }
        int top = tokens.Bit(node[8]), category = 2 * top + tokens.Bit(node[9 + top]), value = 0;
        ReadOnlySpan<byte> bits = category switch
        {
            0 => [173, 148, 140],
            1 => [176, 155, 140, 135],
            2 => [180, 157, 141, 134, 130],
            _ => [254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129],
        };
        foreach (byte probability in bits) value = 2 * value + tokens.Bit(probability);
        return value + 3 + (8 << category);
    }
}

/// <summary>A macroblock of 16 x 16 pixels.</summary>
internal struct LossyUnit
{
    public byte Segment;
    public byte ChromaMode;

    /// <summary>Whether each 4 x 4 block has its own prediction mode.</summary>
    public bool IsSplit;

    /// <summary>Whether the macroblock has no coefficients.</summary>
    public bool IsSkipped;

    /// <summary>Whether inner edges are filtered.</summary>
    public bool HasInnerEdges;

    /// <summary>Mode of each block; the first one applies to the whole macroblock if it is not split.</summary>
    public LossyModes Modes;
}

/// <summary>Modes of 16 blocks.</summary>
[InlineArray(16)]
internal struct LossyModes
{
    private byte _first;
}

/// <summary>YUV planes, padded to whole macroblocks.</summary>
internal sealed class LossyFrame(int width, int height)
{
    public int UnitsAcross { get; } = (width + 15) / 16;

    public int UnitsDown { get; } = (height + 15) / 16;

    /// <summary>Luma row length in bytes.</summary>
    public int Stride => 16 * UnitsAcross;

    /// <summary>Chroma row length in bytes.</summary>
    public int ChromaStride => 8 * UnitsAcross;

    public byte[] Y { get; } = new byte[256 * ((width + 15) / 16) * ((height + 15) / 16)];

    public byte[] U { get; } = new byte[64 * ((width + 15) / 16) * ((height + 15) / 16)];

    public byte[] V { get; } = new byte[64 * ((width + 15) / 16) * ((height + 15) / 16)];
}

using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Decodes the entropy-coded data of one scan.</summary>
/// <param name="bytes">The complete file.</param>
/// <param name="position">End of the scan header.</param>
/// <param name="frame">The frame.</param>
/// <param name="scan">The validated scan header.</param>
/// <param name="restartInterval">Units between restart markers; 0 if there are none.</param>
internal ref struct JpegScanDecoder(ReadOnlySpan<byte> bytes, int position, JpegFrame frame, JpegScan scan, int restartInterval)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly JpegFrame _frame = frame;
    private readonly JpegScan _scan = scan;
    private readonly int _restartInterval = restartInterval;
    private JpegBits _bits = new(bytes, position);
    private int _unitsUntilRestart = restartInterval;
    private int _nextRestart;
    private int _emptyRun;

    /// <summary>Position from which the next marker is searched.</summary>
    public readonly int Position => _bits.Position;

    public readonly int UnitRows => _scan.IsInterleaved ? _frame.UnitRows : _scan.Components[0].BlockRows;

    private readonly int UnitsPerRow => _scan.IsInterleaved ? _frame.UnitsPerRow : _scan.Components[0].BlocksPerRow;

    /// <summary>Decodes one unit row into the coefficient buffers.</summary>
    /// <returns>Null, or a description of the fault.</returns>
    public string? StoreRow(int unitRow)
    {
        int units = UnitsPerRow;
        for (int unit = 0; unit < units; unit++)
        {
            if (BeginUnit() is { } fault) return fault;
            foreach (JpegComponent component in _scan.Components)
            {
                int across = _scan.IsInterleaved ? component.Horizontal : 1, down = _scan.IsInterleaved ? component.Vertical : 1;
                for (int row = 0; row < down; row++)
                    for (int column = 0; column < across; column++)
                    {
                        // Blocks within an end-of-band run do not change.
                        if (_emptyRun > 0 && _scan.PreviousBit == 0)
                        {
                            _emptyRun--;
                            continue;
                        }
                        Span<short> block = component.Block(unitRow * down + row, unit * across + column);
                        if (!(_frame.Progressive ? ProgressiveBlock(component, block) : SequentialBlock(component, block))) return "no such Huffman code";
                    }
            }
            if (_bits.IsOverrun) return CutOff(unitRow);
        }
        return null;
    }

    /// <summary>Decodes and transforms one unit row of a picture with a single scan.</summary>
    /// <param name="unitRow">Which.</param>
    /// <param name="planes">Of the frame's components.</param>
    /// <returns>Null, or a description of the fault.</returns>
    public string? TransformRow(int unitRow, JpegPlane[] planes)
    {
        Span<short> block = stackalloc short[64];
        int units = UnitsPerRow;
        for (int unit = 0; unit < units; unit++)
        {
            if (BeginUnit() is { } fault) return fault;
            for (int index = 0; index < planes.Length; index++)
            {
                JpegComponent component = _scan.Components[index];
                int across = _scan.IsInterleaved ? component.Horizontal : 1, down = _scan.IsInterleaved ? component.Vertical : 1;
                for (int row = 0; row < down; row++)
                    for (int column = 0; column < across; column++)
                    {
                        block.Clear();
                        if (!SequentialBlock(component, block)) return "no such Huffman code";
                        planes[index].Transform(block, unitRow * down + row, unit * across + column);
                    }
            }
            if (_bits.IsOverrun) return CutOff(unitRow);
        }
        return null;
    }

    private readonly string CutOff(int unitRow) => $"the picture data ends in row {unitRow + 1} of {UnitRows}";

    private string? BeginUnit()
    {
        if (_restartInterval == 0) return null;
        if (_unitsUntilRestart-- > 0) return null;
        _unitsUntilRestart = _restartInterval - 1;
        int marker = _bits.Position;
        // Bytes before the restart marker are skipped, as in libjpeg.
        while (marker + 1 < _bytes.Length && (_bytes[marker] != 0xFF || _bytes[marker + 1] is 0x00 or 0xFF)) marker++;
        if (marker + 1 >= _bytes.Length || _bytes[marker + 1] != 0xD0 + _nextRestart) return $"restart marker {_nextRestart} is missing";
        _nextRestart = _nextRestart + 1 & 7;
        _emptyRun = 0;
        foreach (JpegComponent component in _scan.Components) component.LastDc = 0;
        _bits = new JpegBits(_bytes, marker + 2);
        return null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool SequentialBlock(JpegComponent component, scoped Span<short> block)
    {
        int size = _bits.Code(component.DcTable!);
        if (size < 0) return false;
        component.LastDc += _bits.Signed(size);
        block[0] = (short)component.LastDc;
        JpegHuffmanTable table = component.AcTable!;
        ReadOnlySpan<byte> order = JpegInverseDct.ZigZag;
        for (int index = 1; index < 64; index++)
        {
            int code = _bits.Code(table);
            if (code < 0) return false;
            size = code & 15;
            if (size == 0)
            {
                if (code != 0xF0) break;
                index += 15;
                continue;
            }
            index += code >> 4;
            if (index > 63) return false;
            block[order[index]] = (short)_bits.Signed(size);
        }
        return true;
    }

    private bool ProgressiveBlock(JpegComponent component, scoped Span<short> block)
    {
        if (_scan.First > 0) return _scan.PreviousBit == 0 ? FirstAc(component, block) : RefineAc(component, block);
        if (_scan.PreviousBit > 0)
        {
            if (_bits.Take(1) != 0) block[0] |= (short)(1 << _scan.Bit);
            return true;
        }
        int size = _bits.Code(component.DcTable!);
        if (size < 0) return false;
        component.LastDc += _bits.Signed(size);
        block[0] = (short)(component.LastDc << _scan.Bit);
        return true;
    }

    private bool FirstAc(JpegComponent component, scoped Span<short> block)
    {
        ReadOnlySpan<byte> order = JpegInverseDct.ZigZag;
        for (int index = _scan.First; index <= _scan.Last; index++)
        {
            int code = _bits.Code(component.AcTable!);
            if (code < 0) return false;
            int run = code >> 4, size = code & 15;
            if (size > 0)
            {
                index += run;
                if (index > 63) return false;
                block[order[index]] = (short)(_bits.Signed(size) << _scan.Bit);
            }
            else if (run == 15) index += 15;
            else
            {
                _emptyRun = (1 << run) + _bits.Take(run) - 1;
                break;
            }
        }
        return true;
    }

    private bool RefineAc(JpegComponent component, scoped Span<short> block)
    {
        ReadOnlySpan<byte> order = JpegInverseDct.ZigZag;
        short positive = (short)(1 << _scan.Bit), negative = (short)(-1 << _scan.Bit);
        int index = _scan.First;
        if (_emptyRun == 0)
        {
            for (; index <= _scan.Last; index++)
            {
                int code = _bits.Code(component.AcTable!);
                if (code < 0) return false;
                int run = code >> 4;
                short made = 0;
                if ((code & 15) > 1) return false;
                if ((code & 15) == 1) made = _bits.Take(1) != 0 ? positive : negative;
                else if (run != 15)
                {
                    _emptyRun = (1 << run) + _bits.Take(run);
                    break;
                }
                for (; index <= _scan.Last; index++)
                {
                    ref short value = ref block[order[index]];
                    if (value != 0) Refine(ref value, positive, negative);
                    else if (--run < 0) break;
                }
                if (made == 0) continue;
                if (index > 63) return false;
                block[order[index]] = made;
            }
        }
        if (_emptyRun == 0) return true;
        for (; index <= _scan.Last; index++)
        {
            ref short value = ref block[order[index]];
            if (value != 0) Refine(ref value, positive, negative);
        }
        _emptyRun--;
        return true;
    }

    private void Refine(ref short value, short positive, short negative)
    {
        if (_bits.Take(1) == 0 || (value & positive) != 0) return;
        value += value >= 0 ? positive : negative;
    }
}

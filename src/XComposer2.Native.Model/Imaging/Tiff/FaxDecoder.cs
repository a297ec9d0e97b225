namespace XComposer2.Native.Model;

/// <summary>
/// Fax compression of TIFF (ITU-T T.4 and T.6) with 1 for black: modified Huffman (compression 2), group 3 in one and two
/// dimensions (3), group 4 (4).
/// </summary>
internal ref struct FaxDecoder
{
    private const int GroupThree = 3;
    private const int GroupFour = 4;
    private const int EndOfLineBits = 12;
    private readonly ReadOnlySpan<byte> _data;
    private readonly int _width;
    private readonly int _compression;
    private readonly bool _hasTwoDimensions;
    private long _position;
    private bool _hasMarks;
    // Changing elements of the previous and the current row, alternating between black and white.
    private int[] _above;
    private int[] _current;
    private int _count;

    /// <param name="data">One strip or tile.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="compression">2, 3 or 4.</param>
    /// <param name="options">T4Options: bit 0 for two dimensions.</param>
    /// <param name="changes">Working memory: two arrays of <see cref="ChangesOf"/> elements.</param>
    public FaxDecoder(ReadOnlySpan<byte> data, int width, int compression, int options, int[][] changes)
    {
        _data = data;
        (_width, _compression) = (width, compression);
        _hasTwoDimensions = compression == GroupFour || compression == GroupThree && (options & 1) != 0;
        (_above, _current) = (changes[0], changes[1]);
        Array.Fill(_above, width);
    }

    /// <summary>Maximum number of changing elements per row plus sentinels.</summary>
    public static int ChangesOf(int width) => width + 4;

    /// <returns>Null, or a description of the fault.</returns>
    public string? Decode(Span<byte> target, int rowBytes)
    {
        target.Clear();
        for (int row = 0; (long)row * rowBytes < target.Length; row++)
        {
            if (_compression == 2) _position = (_position + 7) / 8 * 8;
            if (BeginRow(row) is not { } isPlain) return $"damaged in row {row} (fax coding): a mark of the end of a row is missing";
            _count = 0;
            if (!(isPlain ? PlainRow() : TwoDimensionalRow())) return $"damaged or cut off in row {row} (fax coding)";
            if (_position > 8L * _data.Length) return $"cut off in row {row} (fax coding)";
            _current.AsSpan(_count).Fill(_width);
            Paint(target.Slice(row * rowBytes, rowBytes));
            (_above, _current) = (_current, _above);
        }
        return null;
    }

    /// <returns>Whether the row is one-dimensional; null if the end-of-line code is missing.</returns>
    private bool? BeginRow(int row)
    {
        if (_compression != GroupThree) return _compression != GroupFour;
        // Fill bits may precede the end-of-line code.
        long start = _position;
        while (_position < 8L * _data.Length && Peek(1) == 0) _position++;
        bool hasMark = _position - start >= EndOfLineBits - 1;
        if (row == 0) _hasMarks = hasMark;
        if (_hasMarks && !hasMark) return null;
        if (hasMark) _position++;
        else _position = start;
        if (!_hasTwoDimensions) return true;
        return hasMark && Take(1) == 1;
    }

    private bool PlainRow()
    {
        bool isBlack = false;
        for (int column = 0; column < _width; isBlack = !isBlack)
        {
            int run = Run(isBlack);
            if (run < 0 || run > _width - column) return false;
            column += run;
            Add(column);
        }
        return true;
    }

    private bool TwoDimensionalRow()
    {
        int column = -1, next = 0;
        bool isBlack = false;
        while (column < _width)
        {
            // b1: the first changing element of the opposite colour to the right of a0.
            next = isBlack ? next | 1 : next & ~1;
            while (next >= 2 && _above[next - 2] > column) next -= 2;
            while (next + 2 < _above.Length && _above[next] <= column && _above[next] < _width) next += 2;
            int below = _above[next], after = _above[Math.Min(next + 1, _above.Length - 1)];
            int mode = Peek(7), offset;
            if (mode >= 64) (offset, _position) = (0, _position + 1);
            else if (mode >= 48) (offset, _position) = (1, _position + 3);
            else if (mode >= 32) (offset, _position) = (-1, _position + 3);
            else if (mode >= 16)
            {
                _position += 3;
                int first = Run(isBlack), second = first < 0 ? -1 : Run(!isBlack);
                int start = Math.Max(column, 0);
                if (second < 0 || first > _width - start || second > _width - start - first) return false;
                if (!Add(start + first) || !Add(start + first + second)) return false;
                column = start + first + second;
                continue;
            }
            else if (mode >= 8)
            {
                _position += 4;
                column = after;
                continue;
            }
            else if (mode >= 6) (offset, _position) = (2, _position + 6);
            else if (mode >= 4) (offset, _position) = (-2, _position + 6);
            else if (mode == 3) (offset, _position) = (3, _position + 7);
            else if (mode == 2) (offset, _position) = (-3, _position + 7);
            else return false;
            int change = below + offset;
            if (change < Math.Max(column, 0) || change > _width || _position > 8L * _data.Length + 64 || !Add(change)) return false;
            column = change;
            isBlack = !isBlack;
        }
        return true;
    }

    private bool Add(int column)
    {
        if (_count >= _current.Length) return false;
        _current[_count++] = column;
        return true;
    }

    private int Run(bool isBlack)
    {
        int sum = 0;
        while (true)
        {
            int entry = (isBlack ? FaxCodes.Black : FaxCodes.White)[Peek(FaxCodes.MaxBits)];
            if (entry == 0) return -1;
            _position += entry & 15;
            int run = (entry >> 4) - 1;
            sum += run;
            if (run < 64) return sum;
            if (sum > _width) return -1;
        }
    }

    private int Take(int count)
    {
        int value = Peek(count);
        _position += count;
        return value;
    }

    // Returns zeros past the end.
    private readonly int Peek(int count)
    {
        int index = (int)(_position / 8), value = 0;
        for (int offset = 0; offset < 3; offset++) value = value << 8 | (index + offset < _data.Length ? _data[index + offset] : 0);
        return value >> (24 - count - (int)(_position % 8)) & ((1 << count) - 1);
    }

    private readonly void Paint(Span<byte> row)
    {
        for (int index = 0; index + 1 < _current.Length && _current[index] < _width; index += 2)
            for (int column = _current[index]; column < _current[index + 1]; column++) row[column / 8] |= (byte)(0x80 >> column % 8);
    }
}

/// <summary>Run codes of T.4.</summary>
internal static class FaxCodes
{
    public const int MaxBits = 13;

    /// <summary>Indexed by the next 13 bits: run + 1 in the upper 12 bits, code length in the lower 4; 0 if invalid.</summary>
    public static ushort[] White { get; } = Create(
        "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 101010 101011 0100111 0001100 0001000 0010111 " +
        "0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 00011010 00011011 00010010 00010011 00010100 00010101 00010110 00010111 " +
        "00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010 00001011 01010010 01010011 01010100 01010101 00100100 00100101 " +
        "01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011 00110100",
        "11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 011010011 011010100 011010101 " +
        "011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 010011010 011000 010011011");

    /// <inheritdoc cref="White"/>
    public static ushort[] Black { get; } = Create(
        "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000 0000010111 0000011000 0000001000 " +
        "00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 " +
        "000001101001 000001101010 000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 " +
        "000011011010 000011011011 000001010100 000001010101 000001010110 000001010111 000001100100 000001100101 000001010010 000001010011 000000100100 " +
        "000000110111 000000111000 000000100111 000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111",
        "0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101 0000001001010 0000001001011 " +
        "0000001001100 0000001001101 0000001110010 0000001110011 0000001110100 0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 " +
        "0000001010100 0000001010101 0000001011010 0000001011011 0000001100100 0000001100101");

    private const string LongRuns =
        "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 000000010111 000000011100 000000011101 " +
        "000000011110 000000011111";

    private static ushort[] Create(string shortRuns, string multiples)
    {
        ushort[] table = new ushort[1 << MaxBits];
        int run = 0;
        foreach (string code in shortRuns.Split(' ')) Enter(table, code, run++);
        foreach (string code in $"{multiples} {LongRuns}".Split(' '))
        {
            Enter(table, code, run);
            run += 64;
        }
        return table;
    }

    private static void Enter(ushort[] table, string code, int run)
    {
        int shift = MaxBits - code.Length;
        table.AsSpan(Convert.ToInt32(code, 2) << shift, 1 << shift).Fill((ushort)(run + 1 << 4 | code.Length));
    }
}

using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Bit reader for entropy-coded data without stuffed zeros. Returns zeros past the end and sets <see cref="IsOverrun"/>.</summary>
internal ref struct JpegBits(ReadOnlySpan<byte> bytes, int position)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position = position;
    private ulong _window;
    private int _count;
    private int _paddingBits;

    /// <summary>More bits were read than available.</summary>
    public readonly bool IsOverrun => _count < _paddingBits;

    /// <summary>Position from which the next marker is searched.</summary>
    public readonly int Position => _position;

    /// <summary>Decodes one Huffman code; -1 if the code is invalid.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Code(JpegHuffmanTable table)
    {
        if (_count < 16) Fill();
        int entry = table.Lookup[(int)(_window >> (_count - JpegHuffmanTable.LookupBits)) & JpegHuffmanTable.LookupMask];
        if (entry != 0)
        {
            _count -= entry >> 8;
            return entry & 0xFF;
        }
        return LongCode(table);
    }

    /// <summary>Reads up to 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Take(int count)
    {
        if (_count < count) Fill();
        _count -= count;
        return (int)(_window >> _count) & ((1 << count) - 1);
    }

    /// <summary>Reads a signed value of <paramref name="size"/> bits; a leading 0 means negative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Signed(int size)
    {
        if (size == 0) return 0;
        int value = Take(size);
        return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
    }

    private int LongCode(JpegHuffmanTable table)
    {
        for (int length = JpegHuffmanTable.LookupBits + 1; length <= 16; length++)
        {
            int code = (int)(_window >> (_count - length)) & ((1 << length) - 1);
            int symbol = table.Symbol(code, length);
            if (symbol < 0) continue;
            _count -= length;
            return symbol;
        }
        return -1;
    }

    private void Fill()
    {
        if (_position + 8 <= _bytes.Length)
        {
            ulong next = BinaryPrimitives.ReadUInt64BigEndian(_bytes[_position..]);
            int whole = (64 - _count) / 8;
            // No byte among the eight is 0xFF: no stuffing, no marker.
            if (whole < 8 && !HasFullByte(next))
            {
                _window = _window << (8 * whole) | next >> (64 - 8 * whole);
                _count += 8 * whole;
                _position += whole;
                return;
            }
        }
        FillByBytes();
    }

    private static bool HasFullByte(ulong value)
    {
        ulong inverted = ~value;
        return ((inverted - 0x0101010101010101) & value & 0x8080808080808080) != 0;
    }

    private void FillByBytes()
    {
        while (_count <= 48)
        {
            byte next = 0;
            if (_position >= _bytes.Length) _paddingBits += 8;
            else if (_bytes[_position] != 0xFF) next = _bytes[_position++];
            else if (_position + 1 < _bytes.Length && _bytes[_position + 1] == 0)
            {
                next = 0xFF;
                _position += 2;
            }
            else if (_position + 1 < _bytes.Length && _bytes[_position + 1] == 0xFF)
            {
                // Fill bytes before a marker or a stuffed zero are skipped.
                _position++;
                continue;
            }
            else _paddingBits += 8;
            _window = _window << 8 | next;
            _count += 8;
        }
    }
}

/// <summary>A Huffman table prepared for decoding.</summary>
internal sealed class JpegHuffmanTable
{
    public const int LookupBits = 9;
    public const int LookupMask = (1 << LookupBits) - 1;

    private readonly int[] _firstCode = new int[17];
    private readonly int[] _counts = new int[17];
    private readonly int[] _firstSymbol = new int[17];
    private readonly byte[] _symbols;

    private JpegHuffmanTable(byte[] symbols) => _symbols = symbols;

    /// <summary>Indexed by the next nine bits: code length in the high byte, symbol in the low byte; 0 for longer codes.</summary>
    public ushort[] Lookup { get; } = new ushort[1 << LookupBits];

    /// <summary>Symbols in code order.</summary>
    public ReadOnlySpan<byte> Symbols => _symbols;

    /// <param name="counts">Number of codes of each length from 1 to 16.</param>
    /// <param name="symbols">Symbols in code order, as many as the sum of the counts.</param>
    /// <returns>Null if the counts do not form a prefix code.</returns>
    public static JpegHuffmanTable? Create(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        JpegHuffmanTable table = new(symbols.ToArray());
        int code = 0, symbol = 0;
        for (int length = 1; length <= 16; length++, code <<= 1)
        {
            table._firstCode[length] = code;
            table._firstSymbol[length] = symbol;
            table._counts[length] = counts[length - 1];
            for (int index = 0; index < counts[length - 1]; index++, code++, symbol++)
            {
                if (code >= 1 << length) return null;
                if (length > LookupBits) continue;
                int shift = LookupBits - length;
                table.Lookup.AsSpan(code << shift, 1 << shift).Fill((ushort)(length << 8 | symbols[symbol]));
            }
        }
        return table;
    }

    /// <summary>The symbol of a code, or -1.</summary>
    public int Symbol(int code, int length)
    {
        int offset = code - _firstCode[length];
        return offset >= 0 && offset < _counts[length] ? _symbols[_firstSymbol[length] + offset] : -1;
    }

    /// <summary>Number of codes of a length from 1 to 16.</summary>
    public int CountOf(int length) => _counts[length];

    /// <summary>The tables of annex K, which motion JPEG frames omit.</summary>
    /// <param name="isAc">For AC coefficients, else for DC.</param>
    /// <param name="index">0 for luminance, 1 for chrominance.</param>
    public static JpegHuffmanTable Standard(bool isAc, int index) => isAc
        ? index == 0 ? Create(LuminanceAcCounts, LuminanceAc)! : Create(ChrominanceAcCounts, ChrominanceAc)!
        : Create(index == 0 ? LuminanceDcCounts : ChrominanceDcCounts, Dc)!;

    private static ReadOnlySpan<byte> LuminanceDcCounts => [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];

    private static ReadOnlySpan<byte> ChrominanceDcCounts => [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];

    private static ReadOnlySpan<byte> Dc => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

    private static ReadOnlySpan<byte> LuminanceAcCounts => [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D];

    private static ReadOnlySpan<byte> ChrominanceAcCounts => [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77];

    private static ReadOnlySpan<byte> LuminanceAc =>
    [
        0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
        0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0,
        0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28,
        0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
        0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
        0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
        0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7,
        0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5,
        0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
        0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
        0xF9, 0xFA,
    ];

    private static ReadOnlySpan<byte> ChrominanceAc =>
    [
        0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
        0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0,
        0x15, 0x62, 0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26,
        0x27, 0x28, 0x29, 0x2A, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
        0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
        0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
        0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5,
        0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
        0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
        0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
        0xF9, 0xFA,
    ];
}

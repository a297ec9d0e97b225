using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Bit reader of lossless WebP, least significant bit first. Returns zeros past the end and sets <see cref="IsOverrun"/>.</summary>
internal ref struct LosslessBits(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;
    private ulong _window;
    private int _count;
    private int _paddingBits;

    public readonly bool IsOverrun => _count < _paddingBits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Take(int count)
    {
        if (_count < count) Fill();
        int value = (int)(_window & ((1UL << count) - 1));
        _window >>= count;
        _count -= count;
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Symbol(LosslessCode code)
    {
        if (code.Only >= 0) return code.Only;
        if (_count < LosslessCode.MaxLength) Fill();
        int entry = code.Lookup[(int)_window & LosslessCode.LookupMask];
        if (entry == 0) return LongSymbol(code);
        _window >>= entry & 15;
        _count -= entry & 15;
        return entry >> 4;
    }

    private int LongSymbol(LosslessCode code)
    {
        int value = 0;
        for (int length = 1; length <= LosslessCode.MaxLength; length++)
        {
            value = value << 1 | (int)(_window >> (length - 1)) & 1;
            int symbol = code.Find(value, length);
            if (symbol < 0) continue;
            _window >>= length;
            _count -= length;
            return symbol;
        }
        return 0;
    }

    private void Fill()
    {
        while (_count <= 32)
        {
            if (_position + 4 <= _bytes.Length)
            {
                _window |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(_bytes[_position..]) << _count;
                _position += 4;
                _count += 32;
            }
            else if (_position < _bytes.Length)
            {
                _window |= (ulong)_bytes[_position++] << _count;
                _count += 8;
            }
            else
            {
                _paddingBits += 8;
                _count += 8;
            }
        }
    }
}

/// <summary>A prefix code of a lossless WebP.</summary>
internal sealed class LosslessCode
{
    public const int MaxLength = 15;
    public const int LookupBits = 8;
    public const int LookupMask = (1 << LookupBits) - 1;

    private readonly int[] _firstCode;
    private readonly int[] _firstSymbol;
    private readonly int[] _counts;
    private readonly ushort[] _symbols;

    private LosslessCode(int only, int[] counts, int[] firstCode, int[] firstSymbol, ushort[] symbols, ushort[] lookup) =>
        (Only, _counts, _firstCode, _firstSymbol, _symbols, Lookup) = (only, counts, firstCode, firstSymbol, symbols, lookup);

    /// <summary>The only symbol, coded with zero bits; -1 if there are more symbols.</summary>
    public int Only { get; }

    /// <summary>Indexed by the next eight bits: symbol in the upper 12 bits, code length in the lower 4; 0 for longer codes.</summary>
    public ushort[] Lookup { get; }

    /// <param name="lengths">Code length of each symbol, 0 to 15; 0 if unused.</param>
    /// <returns>Null if the code is incomplete.</returns>
    public static LosslessCode? Create(ReadOnlySpan<byte> lengths)
    {
        int[] counts = new int[MaxLength + 1];
        int last = -1, total = 0;
        for (int symbol = 0; symbol < lengths.Length; symbol++)
        {
            if (lengths[symbol] == 0) continue;
            counts[lengths[symbol]]++;
            (last, total) = (symbol, total + 1);
        }
        if (total == 0) return null;
        if (total == 1) return new LosslessCode(last, [], [], [], [], []);
        int[] firstCode = new int[MaxLength + 1], firstSymbol = new int[MaxLength + 1], next = new int[MaxLength + 1];
        int code = 0, position = 0;
        for (int length = 1; length <= MaxLength; length++)
        {
            code <<= 1;
            (firstCode[length], firstSymbol[length], next[length]) = (code, position, position);
            code += counts[length];
            position += counts[length];
            if (code > 1 << length) return null;
        }
        if (code != 1 << MaxLength) return null;
        ushort[] symbols = new ushort[total];
        ushort[] lookup = new ushort[1 << LookupBits];
        for (int symbol = 0; symbol < lengths.Length; symbol++)
        {
            int length = lengths[symbol];
            if (length == 0) continue;
            int place = next[length]++;
            symbols[place] = (ushort)symbol;
            if (length > LookupBits) continue;
            int bits = firstCode[length] + place - firstSymbol[length], reversed = 0;
            for (int bit = 0; bit < length; bit++) reversed |= (bits >> bit & 1) << (length - 1 - bit);
            for (int entry = reversed; entry < lookup.Length; entry += 1 << length) lookup[entry] = (ushort)(symbol << 4 | length);
        }
        return new LosslessCode(-1, counts, firstCode, firstSymbol, symbols, lookup);
    }

    /// <summary>The symbol of a code, or -1.</summary>
    public int Find(int code, int length)
    {
        int offset = code - _firstCode[length];
        return offset >= 0 && offset < _counts[length] ? _symbols[_firstSymbol[length] + offset] : -1;
    }
}

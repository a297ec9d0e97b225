using System.Numerics;
using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Boolean arithmetic decoder of VP8.</summary>
internal sealed class LossyBits(ReadOnlyMemory<byte> bytes)
{
    private const int LoadedBits = 8;
    private readonly ReadOnlyMemory<byte> _bytes = bytes;
    private int _position;
    private ulong _value;
    private uint _range = 254;
    private int _count = -LoadedBits;

    /// <summary>More bits were read than available, by the same rule as in libwebp.</summary>
    public bool IsOverrun { get; private set; }

    /// <summary>One bit.</summary>
    /// <param name="probability">Probability of 0 in units of 1/256.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Bit(int probability)
    {
        if (_count < 0) Load();
        uint range = _range, split = range * (uint)probability >> 8, value = (uint)(_value >> _count);
        int bit = value > split ? 1 : 0;
        if (bit != 0)
        {
            range -= split;
            _value -= (ulong)(split + 1) << _count;
        }
        else range = split + 1;
        int shift = 7 ^ BitOperations.Log2(range);
        _count -= shift;
        _range = (range << shift) - 1;
        return bit;
    }

    /// <summary>Reads an unsigned number, most significant bit first.</summary>
    public int Number(int bits)
    {
        int value = 0;
        while (bits-- > 0) value = value << 1 | Bit(128);
        return value;
    }

    /// <summary>Reads a magnitude and a sign.</summary>
    public int Signed(int bits)
    {
        int value = Number(bits);
        return Bit(128) != 0 ? -value : value;
    }

    /// <summary>Reads a flag and, if set, a signed number; 0 otherwise.</summary>
    public int OptionalSigned(int bits) => Bit(128) != 0 ? Signed(bits) : 0;

    private void Load()
    {
        ReadOnlySpan<byte> bytes = _bytes.Span;
        if (_position < bytes.Length)
        {
            for (int loaded = 0; loaded < 6 && _position < bytes.Length; loaded++, _count += 8) _value = _value << 8 | bytes[_position++];
        }
        else if (!IsOverrun)
        {
            _value <<= 8;
            _count += 8;
            IsOverrun = true;
        }
        else _count = 0;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>The arithmetic decoder of VP8, one for each partition.</summary>
internal sealed class LossyBits(ReadOnlyMemory<byte> bytes)
{
    private const int LoadedBits = 8;
    private readonly ReadOnlyMemory<byte> _bytes = bytes;
    private int _position;
    private ulong _value;
    private uint _range = 254;
    private int _count = -LoadedBits;

    /// <summary>More was asked for than the partition holds; libwebp's rule, to the bit.</summary>
    public bool IsOverrun { get; private set; }

    /// <summary>One bit.</summary>
    /// <param name="probability">Of a 0, in units of 1/256.</param>
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

    /// <summary>A number of <paramref name="bits"/> bits, the highest first.</summary>
    public int Number(int bits)
    {
        int value = 0;
        while (bits-- > 0) value = value << 1 | Bit(128);
        return value;
    }

    /// <summary>A number and its sign.</summary>
    public int Signed(int bits)
    {
        int value = Number(bits);
        return Bit(128) != 0 ? -value : value;
    }

    /// <summary>A flag, and where it is set a number with its sign; else 0.</summary>
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

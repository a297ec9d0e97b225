using System.Numerics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Stored floating numbers as F32, exactly, many at a time.</summary>
internal static unsafe class FloatWidening
{
    // Of F16's exponent: 127 - 15 more make F32's.
    private const float ExponentShift = 5.192296858534828e33f;

    /// <param name="tensor">Of a floating type.</param>
    /// <param name="start">First element.</param>
    /// <param name="values">As many as are wanted.</param>
    public static void Widen(HostTensor tensor, long start, Span<float> values)
    {
        switch (tensor.Type)
        {
            case DType.F32:
                new ReadOnlySpan<float>((float*)tensor.Data + start, values.Length).CopyTo(values);
                break;
            case DType.F16 or DType.BF16:
                WidenHalves(new((ushort*)tensor.Data + start, values.Length), values, tensor.Type == DType.F16);
                break;
            default:
                throw new ArgumentException($"{tensor.Type} is not a floating type", nameof(tensor));
        }
    }

    private static void WidenHalves(ReadOnlySpan<ushort> source, Span<float> values, bool isFloat16)
    {
        int i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out Vector<uint> low, out Vector<uint> high);
            (isFloat16 ? FromFloat16(low) : FromBFloat16(low)).CopyTo(values[i..]);
            (isFloat16 ? FromFloat16(high) : FromBFloat16(high)).CopyTo(values[(i + Vector<uint>.Count)..]);
        }
        for (; i < source.Length; i++)
            values[i] = isFloat16 ? (float)BitConverter.UInt16BitsToHalf(source[i]) : BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
    }

    private static Vector<float> FromBFloat16(Vector<uint> bits) => Vector.AsVectorSingle(bits << 16);

    /// <summary>Multiplied into place, which is exact for subnormal numbers too; infinity and NaN get the largest exponent.</summary>
    private static Vector<float> FromFloat16(Vector<uint> bits)
    {
        Vector<uint> magnitude = bits & new Vector<uint>(0x7FFF);
        Vector<uint> finite = Vector.AsVectorUInt32(Vector.AsVectorSingle(magnitude << 13) * new Vector<float>(ExponentShift));
        Vector<uint> special = (magnitude << 13) | new Vector<uint>(0x7F80_0000);
        Vector<uint> isSpecial = Vector.GreaterThanOrEqual(magnitude, new Vector<uint>(0x7C00));
        return Vector.AsVectorSingle(Vector.ConditionalSelect(isSpecial, special, finite) | ((bits & new Vector<uint>(0x8000)) << 16));
    }
}

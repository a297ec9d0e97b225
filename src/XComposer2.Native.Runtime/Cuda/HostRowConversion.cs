using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Converts stored rows to the type that the device wants, rounding to nearest even. The one place that puts columns of int8 weights into the order of
/// <see cref="Int8ColumnOrder"/>: whatever made them has them in the model's.</summary>
internal static unsafe class HostRowConversion
{
    /// <exception cref="OverflowException">A finite value is beyond F16.</exception>
    /// <param name="source">A row of F32, F16, BF16 or I8.</param>
    /// <param name="columns">Its elements.</param>
    /// <param name="type">F32, F16 or BF16; I8 of an I8 row.</param>
    /// <param name="destination">[columns] of <paramref name="type"/>.</param>
    public static void Copy(HostRow source, int columns, DType type, byte* destination)
    {
        DType from = source.Tensor.Type;
        byte* start = (byte*)source.Tensor.Data + ((long)source.Row * columns * from.ElementBytes());
        if ((from == DType.I8) != (type == DType.I8))
            throw new ArgumentException($"expected a row to be I8 on both sides or on neither, found {from} for {type}", nameof(type));
        if (type == DType.I8)
        {
            Int8ColumnOrder.Apply(new ReadOnlySpan<sbyte>(start, columns), new Span<sbyte>(destination, columns));
            return;
        }

        if (from == type)
        {
            Buffer.MemoryCopy(start, destination, (long)columns * type.ElementBytes(), (long)columns * type.ElementBytes());
            return;
        }

        for (int i = 0; i < columns; i++)
            Write(Read(start, from, i), type, destination, i);
    }

    private static float Read(byte* source, DType type, int index) => type switch
    {
        DType.F32 => ((float*)source)[index],
        DType.F16 => (float)((Half*)source)[index],
        _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)source)[index] << 16),
    };

    private static void Write(float value, DType type, byte* destination, int index)
    {
        switch (type)
        {
            case DType.F32:
                ((float*)destination)[index] = value;
                break;
            case DType.F16:
                var half = (Half)value;
                if (Half.IsInfinity(half) && float.IsFinite(value))
                    throw new OverflowException($"element {index} is {value}, beyond what F16 can hold");
                ((Half*)destination)[index] = half;
                break;
            default:
                uint bits = BitConverter.SingleToUInt32Bits(value);
                ((ushort*)destination)[index] = float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
                break;
        }
    }
}

/// <summary>One row of a weight in host memory.</summary>
internal readonly record struct HostRow(HostTensor Tensor, int Row);

using System.Buffers;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Converts stored rows of floating numbers to the type that the device wants, rounding to nearest even, and packs rows of integers.</summary>
internal static unsafe class HostRowConversion
{
    /// <exception cref="OverflowException">A finite value is beyond F16.</exception>
    /// <param name="source">A row of floating numbers or of integers.</param>
    /// <param name="columns">Its elements.</param>
    /// <param name="type">F32, F16 or BF16; of integers, the type of the row.</param>
    /// <param name="destination">[columns] of <paramref name="type"/>.</param>
    public static void Copy(HostRow source, int columns, DType type, byte* destination)
    {
        DType from = source.Tensor.Type;
        long bytes = from.Bytes(columns);
        byte* start = (byte*)source.Tensor.Data + (source.Row * bytes);
        if (from != type && !(from.IsFloat() && type.IsFloat()))
            throw new ArgumentException($"expected a row of floating numbers or of {type}, found {from}", nameof(type));
        if (from == type)
        {
            Buffer.MemoryCopy(start, destination, bytes, bytes);
            return;
        }

        for (int i = 0; i < columns; i++)
            Write(Read(start, from, i), type, destination, i);
    }

    /// <summary>Puts rows into the device's order: whatever made them has them in the model's.</summary>
    /// <param name="rowOf">Rows of integers, or of their scales.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="type">Type of the rows.</param>
    /// <param name="destination">As many bytes as the rows have.</param>
    /// <param name="packing">How, and how many rows at a time.</param>
    public static void Pack(Func<int, HostRow> rowOf, int columns, DType type, byte* destination, RowPacking packing)
    {
        int rowBytes = checked((int)type.Bytes(columns)), bytes = checked(packing.Rows * rowBytes);
        byte[] rows = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            fixed (byte* start = rows)
                for (int row = 0; row < packing.Rows; row++)
                    Copy(rowOf(row), columns, type, start + (row * rowBytes));
            packing.Pack(rows.AsSpan(0, bytes), new Span<byte>(destination, bytes));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rows);
        }
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

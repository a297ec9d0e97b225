using System.Numerics;
using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Values of small tensors, widened to F32.</summary>
public static unsafe class HostTensorValues
{
    /// <exception cref="ArgumentException">The tensor is not of a floating type.</exception>
    public static float[] ToFloats(HostTensor tensor)
    {
        float[] values = new float[checked((int)tensor.Shape.ElementCount)];
        switch (tensor.Type)
        {
            case DType.F32:
                new ReadOnlySpan<float>((void*)tensor.Data, values.Length).CopyTo(values);
                break;
            case DType.F16:
                ReadOnlySpan<Half> halves = new((void*)tensor.Data, values.Length);
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)halves[i];
                break;
            case DType.BF16:
                ReadOnlySpan<ushort> upper = new((void*)tensor.Data, values.Length);
                Span<uint> bits = MemoryMarshal.Cast<float, uint>(values.AsSpan());
                for (int i = 0; i < values.Length; i++)
                    bits[i] = (uint)upper[i] << 16;
                break;
            default:
                throw new ArgumentException($"{tensor.Type} is not a floating type", nameof(tensor));
        }
        return values;
    }

    /// <summary>A row of a matrix.</summary>
    /// <param name="tensor">Of a floating type.</param>
    /// <param name="row">Which.</param>
    /// <param name="values">[columns].</param>
    /// <exception cref="ArgumentException">The tensor is not of a floating type.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It has no such row.</exception>
    public static void ReadRow(HostTensor tensor, int row, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)tensor.Shape[0], nameof(row));
        FloatWidening.Widen(tensor, (long)row * values.Length, values);
    }

    /// <summary>Rounds values to a floating type.</summary>
    /// <param name="values">In F32.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="target">Room for all of them.</param>
    /// <exception cref="ArgumentException">The type is not a floating one.</exception>
    internal static void Store(ReadOnlySpan<float> values, DType type, nint target)
    {
        switch (type)
        {
            case DType.F32:
                values.CopyTo(new Span<float>((void*)target, values.Length));
                break;
            case DType.F16:
                for (int i = 0; i < values.Length; i++)
                    ((Half*)target)[i] = (Half)values[i];
                break;
            case DType.BF16:
                for (int i = 0; i < values.Length; i++)
                    ((ushort*)target)[i] = Brain(values[i]);
                break;
            default:
                throw new ArgumentException($"{type} is not a floating type", nameof(type));
        }
    }

    /// <summary>To the nearest, ties to even; NaN stays one.</summary>
    private static ushort Brain(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}

/// <summary>Looks for NaN and infinity: an exponent of all ones, tested on the bits, vectorised and in parallel.</summary>
public static unsafe class NonFiniteScan
{
    private const long ChunkElements = 1 << 20;

    /// <summary>Index of the first element that is not finite; -1 where all are, and for integers.</summary>
    public static long Find(HostTensor tensor, CancellationToken cancellation = default)
    {
        if (!tensor.Type.IsFloat())
            return -1;
        long count = tensor.Shape.ElementCount;
        long first = long.MaxValue;
        Lock guard = new();
        ParallelOptions options = new() { CancellationToken = cancellation };
        Parallel.For(0, (count + ChunkElements - 1) / ChunkElements, options, (chunk, state) =>
        {
            long start = chunk * ChunkElements;
            long found = FindInChunk(tensor, start, (int)Math.Min(ChunkElements, count - start));
            if (found < 0)
                return;
            lock (guard)
                first = Math.Min(first, start + found);
            // Break, not Stop: chunks before this one still run, so that the index is the first one.
            state.Break();
        });
        return first == long.MaxValue ? -1 : first;
    }

    private static int FindInChunk(HostTensor tensor, long start, int count) => tensor.Type switch
    {
        DType.F32 => Find(new ReadOnlySpan<uint>((uint*)tensor.Data + start, count), 0x7F80_0000u),
        DType.F16 => Find(new ReadOnlySpan<ushort>((ushort*)tensor.Data + start, count), (ushort)0x7C00),
        _ => Find(new ReadOnlySpan<ushort>((ushort*)tensor.Data + start, count), (ushort)0x7F80),
    };

    private static int Find<T>(ReadOnlySpan<T> bits, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        Vector<T> mask = new(exponent);
        int i = 0;
        for (; i <= bits.Length - Vector<T>.Count; i += Vector<T>.Count)
            if (Vector.EqualsAny(new Vector<T>(bits[i..]) & mask, mask))
                break;
        for (; i < bits.Length; i++)
            if ((bits[i] & exponent) == exponent)
                return i;
        return -1;
    }
}

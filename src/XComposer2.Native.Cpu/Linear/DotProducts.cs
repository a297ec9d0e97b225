using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Products of a few rows with rows of weights, vectors along the inputs: bound by the bytes of the weights. Each weight comes from memory once,
/// in as many streams as rows of weights are taken together, and from the cache for further rows of x. Sums follow <see cref="SummationOrder"/>.
/// </summary>
internal static unsafe class DotProducts
{
    private const int Lanes = SummationOrder.Lanes;

    // Rows of weights that all rows of x are multiplied with before the next ones are read.
    private const int TileOutputs = 8;

    // Products of one call of a kernel.
    private const int MostProducts = 16;

    /// <summary>sums[r, o] = row r of x . row (first + o) of the weights.</summary>
    /// <param name="x">[., inputs].</param>
    /// <param name="order">Which rows of x.</param>
    /// <param name="rows">How many of them, from the start of the order.</param>
    /// <param name="weights">[outputs, inputs]; the integers as they are where they are I8.</param>
    /// <param name="first">First row of weights.</param>
    /// <param name="count">Rows of weights.</param>
    /// <param name="sums">[rows, <paramref name="stride"/>].</param>
    /// <param name="stride">Floats from row to row of the sums.</param>
    public static void Multiply<TSimd, TVector>(
        float* x, RowOrder order, int rows, FloatMatrix weights, int first, int count, float* sums, nint stride)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var operands = new Operands(x, order, weights, first, count, sums, stride);
        switch (weights.Type)
        {
            case DType.BF16: Multiply<TSimd, TVector, BFloat16Element>(operands, rows); break;
            case DType.F16: Multiply<TSimd, TVector, HalfElement>(operands, rows); break;
            case DType.I8: Multiply<TSimd, TVector, Int8Element>(operands, rows); break;
            default: Multiply<TSimd, TVector, SingleElement>(operands, rows); break;
        }
    }

    private static void Multiply<TSimd, TVector, TElement>(in Operands operands, int rows)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        for (int first = 0; first < operands.Count; first += TileOutputs)
            for (int row = 0, taken; row < rows; row += taken)
            {
                int left = rows - row;
                taken = left >= 4 && TSimd.HasManyRegisters ? 4 : left >= 2 ? 2 : 1;
                Tile<TSimd, TVector, TElement>(operands, row, taken, first, Math.Min(first + TileOutputs, operands.Count));
            }
    }

    // Some rows of x and the rows of weights from first to end.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TSimd, TVector, TElement>(in Operands operands, int row, int rows, int first, int end)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        float** x = stackalloc float*[DotKernels.MostRows];
        byte** w = stackalloc byte*[DotKernels.MostVectors];
        float* lanes = stackalloc float[MostProducts * Lanes];
        float* totals = stackalloc float[MostProducts];
        int vectors = rows == 1 ? 8 : 4;
        int outputs = DotKernels.Outputs<TSimd, TVector>(vectors);
        int tail = operands.Inputs % Lanes;
        for (int output = first; output < end; output += outputs)
        {
            for (int i = 0; i < rows; i++)
                x[i] = operands.Row(row + i);
            for (int i = 0; i < vectors; i++)
                w[i] = operands.Weights<TElement>(output + DotKernels.Outputs<TSimd, TVector>(i)) + (DotKernels.Lane<TSimd, TVector>(i) * TElement.Bytes);
            for (int i = 0; i < rows * vectors; i++)
                TSimd.Store(TSimd.Broadcast(0f), lanes + (i * TSimd.Count));
            Run<TSimd, TVector, TElement>(x, w, rows, operands.Inputs - tail, lanes);
            if (tail != 0)
                Tail<TSimd, TVector, TElement>(operands, row, rows, output, vectors, lanes);

            for (int i = 0; i < rows * outputs; i += TSimd.Count)
                Totals<TSimd, TVector>(lanes + (i * Lanes), totals + i);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < Math.Min(outputs, end - output); j++)
                    operands.Sum(row + i, output + j) = totals[(i * outputs) + j];
        }
    }

    // The inputs that do not fill a step, with zeros behind them.
    private static void Tail<TSimd, TVector, TElement>(in Operands operands, int row, int rows, int output, int vectors, float* lanes)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        float** x = stackalloc float*[DotKernels.MostRows];
        byte** w = stackalloc byte*[DotKernels.MostVectors];
        float* copies = stackalloc float[(DotKernels.MostRows + DotKernels.MostVectors) * Lanes];
        int tail = operands.Inputs % Lanes;
        nint whole = operands.Inputs - tail;
        for (int i = 0; i < rows; i++)
            x[i] = (float*)Padded((byte*)(operands.Row(row + i) + whole), tail * sizeof(float), copies + (i * Lanes));
        for (int i = 0; i < vectors; i++)
        {
            byte* weights = operands.Weights<TElement>(output + DotKernels.Outputs<TSimd, TVector>(i)) + (whole * TElement.Bytes);
            w[i] = Padded(weights, tail * TElement.Bytes, copies + ((DotKernels.MostRows + i) * Lanes))
                + (DotKernels.Lane<TSimd, TVector>(i) * TElement.Bytes);
        }

        Run<TSimd, TVector, TElement>(x, w, rows, Lanes, lanes);
    }

    // Totals of as many products as a vector has floats: lanes are transposed and then added up in their order.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Totals<TSimd, TVector>(float* lanes, float* totals)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        const int LaneBytes = Lanes * sizeof(float);
        TVector total = TSimd.Broadcast(0f);
        for (int lane = 0; lane < Lanes; lane += 4)
        {
            byte* quad = (byte*)(lanes + lane);
            TVector row0 = TSimd.LoadQuads(quad, 4 * LaneBytes);
            TVector row1 = TSimd.LoadQuads(quad + LaneBytes, 4 * LaneBytes);
            TVector row2 = TSimd.LoadQuads(quad + (2 * LaneBytes), 4 * LaneBytes);
            TVector row3 = TSimd.LoadQuads(quad + (3 * LaneBytes), 4 * LaneBytes);
            Transposition.Quads<TSimd, TVector>(ref row0, ref row1, ref row2, ref row3);
            total = lane == 0 ? row0 : TSimd.Add(total, row0);
            total = TSimd.Add(TSimd.Add(TSimd.Add(total, row1), row2), row3);
        }

        TSimd.Store(total, totals);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run<TSimd, TVector, TElement>(float** x, byte** w, int rows, int count, float* lanes)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        if (rows == 1)
            DotKernels.OneRow<TSimd, TVector, TElement>(x, w, count, lanes);
        else if (rows == 2)
            DotKernels.TwoRows<TSimd, TVector, TElement>(x, w, count, lanes);
        else
            DotKernels.FourRows<TSimd, TVector, TElement>(x, w, count, lanes);
    }

    // The last inputs, with zeros up to a whole step behind them.
    private static byte* Padded(byte* source, int bytes, float* copy)
    {
        var destination = new Span<byte>(copy, Lanes * sizeof(float));
        new ReadOnlySpan<byte>(source, bytes).CopyTo(destination);
        destination[bytes..].Clear();
        return (byte*)copy;
    }

    private readonly struct Operands(float* x, RowOrder order, FloatMatrix weights, int first, int count, float* sums, nint stride)
    {
        public int Inputs => weights.Columns;

        public int Count => count;

        public float* Row(int row) => x + (order[row] * weights.Columns);

        /// <summary>A row of weights; beyond the last one, that one again.</summary>
        public byte* Weights<TElement>(int output)
            where TElement : struct, IStoredElement =>
            (byte*)weights.Data + ((first + (nint)Math.Min(output, count - 1)) * weights.Columns * TElement.Bytes);

        public ref float Sum(int row, int output) => ref sums[(row * stride) + output];
    }
}

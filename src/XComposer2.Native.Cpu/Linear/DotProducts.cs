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

    // Inputs that are made floats at a time: 8 rows of them are 8 KB.
    private const int WidenedInputs = 256;

    // Products of one call of a kernel.
    private const int MostProducts = 16;

    /// <summary>sums[r, o] = row r of x . row (first + o) of the weights.</summary>
    /// <param name="x">[., inputs].</param>
    /// <param name="order">Which rows of x.</param>
    /// <param name="rows">How many of them, from the start of the order.</param>
    /// <param name="weights">[outputs, inputs].</param>
    /// <param name="first">First row of weights.</param>
    /// <param name="count">Rows of weights.</param>
    /// <param name="sums">[rows, <paramref name="stride"/>].</param>
    /// <param name="stride">Floats from row to row of the sums.</param>
    public static void Multiply<TSimd, TVector>(
        float* x, RowOrder order, int rows, WeightMatrix weights, int first, int count, float* sums, nint stride)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var use = new Use<TSimd, TVector>(new Operands(x, order, rows, weights, first, count, sums, stride), rows);
        WeightElements.Select(weights.Format, ref use);
        LinearEpilogue.ScaleRows<TSimd, TVector>(weights, sums, rows, stride, first, count);
    }

    // Three rows are taken as four, the last one twice: two calls would take the weights from the cache once more.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Taken<TSimd, TVector>(int left)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => left >= 3 && TSimd.HasManyRegisters ? 4 : left >= 2 ? 2 : 1;

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
            Finish<TSimd, TVector>(operands, row, rows, output, outputs, end, lanes, totals);
        }
    }

    // The same with elements that become floats one by one: some inputs of the tile at a time, which stay in the first cache.
    private static void WidenedTile<TSimd, TVector, TElement>(in Operands operands, int row, int rows, int first, int end)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IWidenedElement
    {
        float** x = stackalloc float*[DotKernels.MostRows];
        byte** w = stackalloc byte*[DotKernels.MostVectors];
        float* lanes = stackalloc float[MostProducts * Lanes];
        float* totals = stackalloc float[MostProducts];
        float* tails = stackalloc float[DotKernels.MostRows * Lanes];
        float* widened = stackalloc float[TileOutputs * WidenedInputs];
        int vectors = rows == 1 ? 8 : 4;
        int outputs = DotKernels.Outputs<TSimd, TVector>(vectors);
        for (int output = first; output < end; output += outputs)
        {
            for (int i = 0; i < rows * vectors; i++)
                TSimd.Store(TSimd.Broadcast(0f), lanes + (i * TSimd.Count));
            for (int input = 0; input < operands.Inputs; input += WidenedInputs)
            {
                int count = Math.Min(WidenedInputs, operands.Inputs - input), whole = count / Lanes * Lanes;
                for (int i = 0; i < outputs; i++)
                {
                    float* line = widened + (i * WidenedInputs);
                    TElement.Widen(operands.Matrix, operands.Output(output + i), input, count, line);
                    new Span<float>(line + count, (WidenedInputs - count) % Lanes).Clear();
                }

                Point(operands, row, input, widened);
                Run<TSimd, TVector, SingleElement>(x, w, rows, whole, lanes);
                if (whole == count)
                    continue;
                Point(operands, row, input + whole, widened + whole);
                for (int i = 0; i < rows; i++)
                    x[i] = (float*)Padded((byte*)x[i], (count - whole) * sizeof(float), tails + (i * Lanes));
                Run<TSimd, TVector, SingleElement>(x, w, rows, Lanes, lanes);
            }

            Finish<TSimd, TVector>(operands, row, rows, output, outputs, end, lanes, totals);
        }

        void Point(in Operands operands, int firstRow, int input, float* lines)
        {
            for (int i = 0; i < rows; i++)
                x[i] = operands.Row(firstRow + i) + input;
            for (int i = 0; i < vectors; i++)
                w[i] = (byte*)(lines + (DotKernels.Outputs<TSimd, TVector>(i) * WidenedInputs) + DotKernels.Lane<TSimd, TVector>(i));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TSimd, TVector>(in Operands operands, int row, int rows, int output, int outputs, int end, float* lanes, float* totals)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int i = 0; i < rows * outputs; i += TSimd.Count)
            Totals<TSimd, TVector>(lanes + (i * Lanes), totals + i);
        for (int i = 0; i < Math.Min(rows, operands.Rows - row); i++)
            for (int j = 0; j < Math.Min(outputs, end - output); j++)
                operands.Sum(row + i, output + j) = totals[(i * outputs) + j];
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

    private readonly struct Operands(float* x, RowOrder order, int rows, WeightMatrix weights, int first, int count, float* sums, nint stride)
    {
        public WeightMatrix Matrix => weights;

        public int Inputs => weights.Columns;

        public int Count => count;

        public int Rows => rows;

        /// <summary>A row of x; beyond the last one, that one again.</summary>
        public float* Row(int row) => x + (order[Math.Min(row, rows - 1)] * weights.Columns);

        /// <summary>A row of weights; beyond the last one, that one again.</summary>
        public int Output(int output) => first + Math.Min(output, count - 1);

        public byte* Weights<TElement>(int output)
            where TElement : struct, IStoredElement => (byte*)weights.Elements + ((nint)Output(output) * weights.Columns * TElement.Bytes);

        public ref float Sum(int row, int output) => ref sums[(row * stride) + output];
    }

    private readonly struct Use<TSimd, TVector>(Operands operands, int rows) : IElementUse
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Stored<TElement>()
            where TElement : struct, IStoredElement
        {
            for (int first = 0; first < operands.Count; first += TileOutputs)
                for (int row = 0, taken; row < rows; row += taken)
                {
                    taken = Taken<TSimd, TVector>(rows - row);
                    Tile<TSimd, TVector, TElement>(operands, row, taken, first, Math.Min(first + TileOutputs, operands.Count));
                }
        }

        public void Widened<TElement>()
            where TElement : struct, IWidenedElement
        {
            for (int first = 0; first < operands.Count; first += TileOutputs)
                for (int row = 0, taken; row < rows; row += taken)
                {
                    taken = Taken<TSimd, TVector>(rows - row);
                    WidenedTile<TSimd, TVector, TElement>(operands, row, taken, first, Math.Min(first + TileOutputs, operands.Count));
                }
        }
    }
}

using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Products of a few rows with rows of weights, vectors along the inputs: bound by the bytes of the weights. Each weight comes from memory once,
/// in as many streams as rows of weights are taken together, and from the cache for further rows of x. Sums follow <see cref="SummationOrder"/>.
/// </summary>
internal static unsafe partial class DotProducts
{
    // Rows of weights that all rows of x are multiplied with before the next ones are read.
    private const int TileOutputs = 8;

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
        float* x, RowOrder order, int rows, FloatMatrix weights, int first, int count, float* sums, nint stride)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        switch (weights.Type)
        {
            case DType.BF16: Multiply<TSimd, TVector, BFloat16Element>(x, order, rows, weights, first, count, sums, stride); break;
            case DType.F16: Multiply<TSimd, TVector, HalfElement>(x, order, rows, weights, first, count, sums, stride); break;
            default: Multiply<TSimd, TVector, SingleElement>(x, order, rows, weights, first, count, sums, stride); break;
        }
    }

    private static void Multiply<TSimd, TVector, TElement>(
        float* x, RowOrder order, int rows, FloatMatrix weights, int first, int count, float* sums, nint stride)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IFloatElement
    {
        float* tails = stackalloc float[Operands.TailFloats];
        float* lanes = stackalloc float[16 * SummationOrder.Lanes];
        nint rowBytes = weights.Columns * (nint)TElement.Bytes;
        for (int output = 0; output < count; output += TileOutputs)
        {
            int outputs = Math.Min(TileOutputs, count - output);
            var operands = new Operands(x, order, (byte*)weights.Data + ((first + (nint)output) * rowBytes), outputs, weights.Columns, TElement.Bytes, tails);
            int row = 0;
            if (TSimd.HasManyRegisters)
                for (; row <= rows - 4; row += 4)
                    for (int i = 0; i < outputs; i += Outputs<TSimd, TVector>(4))
                    {
                        FourRows<TSimd, TVector, TElement>(operands, row, i, lanes);
                        Total<TSimd, TVector>(lanes, 4, 4, outputs - i, sums + (row * stride) + output + i, stride);
                    }

            for (; row <= rows - 2; row += 2)
                for (int i = 0; i < outputs; i += Outputs<TSimd, TVector>(4))
                {
                    TwoRows<TSimd, TVector, TElement>(operands, row, i, lanes);
                    Total<TSimd, TVector>(lanes, 2, 4, outputs - i, sums + (row * stride) + output + i, stride);
                }

            if (row < rows)
                for (int i = 0; i < outputs; i += Outputs<TSimd, TVector>(8))
                {
                    OneRow<TSimd, TVector, TElement>(operands, row, i, lanes);
                    Total<TSimd, TVector>(lanes, 1, 8, outputs - i, sums + (row * stride) + output + i, stride);
                }
        }
    }

    // Outputs whose running sums fill so many vectors.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Outputs<TSimd, TVector>(int vectors)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => vectors * TSimd.Count / SummationOrder.Lanes;

    // Where vector i of a row of kernels' vectors begins among the running sums.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Lane<TSimd, TVector>(int vector)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => vector * TSimd.Count % SummationOrder.Lanes;

    private static void Total<TSimd, TVector>(float* lanes, int rows, int vectors, int outputs, float* sums, nint stride)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int count = Math.Min(outputs, Outputs<TSimd, TVector>(vectors));
        for (int row = 0; row < rows; row++)
        {
            float* first = lanes + (row * vectors * TSimd.Count);
            for (int i = 0; i < count; i++)
                sums[(row * stride) + i] = SummationOrder.Total(first + (i * SummationOrder.Lanes));
        }
    }

    /// <summary>A tile's operands. Whatever the last inputs lack to a whole step is read from copies with zeros behind them.</summary>
    private readonly struct Operands(float* x, RowOrder order, byte* weights, int outputs, int inputs, int elementBytes, float* tails)
    {
        public const int TailFloats = (4 + 8) * SummationOrder.Lanes;

        private const int MostRows = 4;

        private readonly nint rowBytes = inputs * (nint)elementBytes;

        public nint WholeSteps { get; } = inputs & ~(SummationOrder.Lanes - 1);

        public bool HasTail => WholeSteps != inputs;

        public float* Row(int row) => x + (order[row] * inputs);

        /// <summary>Where vector <paramref name="vector"/> reads its weights; one past the last output reads the last one's again.</summary>
        public byte* Weights<TSimd, TVector>(int output, int vector)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct =>
            weights + (Math.Min(output + (vector * TSimd.Count / SummationOrder.Lanes), outputs - 1) * rowBytes) + (Lane<TSimd, TVector>(vector) * elementBytes);

        public float* RowTail(int row, int slot) =>
            (float*)Padded((byte*)(Row(row) + WholeSteps), sizeof(float), slot);

        public byte* WeightsTail<TSimd, TVector>(int output, int vector)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct
        {
            int lane = Lane<TSimd, TVector>(vector);
            byte* source = Weights<TSimd, TVector>(output, vector) - (lane * elementBytes) + (WholeSteps * elementBytes);
            return Padded(source, elementBytes, MostRows + vector) + (lane * elementBytes);
        }

        private byte* Padded(byte* source, int bytes, int slot)
        {
            var copy = new Span<byte>(tails + (slot * SummationOrder.Lanes), SummationOrder.Lanes * sizeof(float));
            int tailBytes = (int)(inputs - WholeSteps) * bytes;
            new ReadOnlySpan<byte>(source, tailBytes).CopyTo(copy);
            copy[tailBytes..].Clear();
            return (byte*)(tails + (slot * SummationOrder.Lanes));
        }
    }
}

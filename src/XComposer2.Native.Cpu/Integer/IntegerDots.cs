using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Products of quantised rows with packed weights. Of every block of 32 inputs the sum is exact; as a float it is multiplied with the activations' scale and added
/// to the sum of the weights' group, and that, multiplied with the weights' scale, to the output: blocks and groups in order. So a result depends on its row
/// and its output alone, not on instructions, threads or what else is in the step.
/// </summary>
internal static unsafe class IntegerDots
{
    // Memory far ahead of the strip that is read: the hardware stops at every page.
    private const int AheadBytes = 1024;

    /// <summary>sums[r, o] = row (firstRow + r) of x . row (first + o) of the weights.</summary>
    /// <param name="weights">Packed.</param>
    /// <param name="x">Quantised in the weights' order of columns.</param>
    /// <param name="firstRow">First row of x.</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="first">First output, of a whole strip.</param>
    /// <param name="count">Outputs.</param>
    /// <param name="sums">[rows, <paramref name="stride"/>]: outputs of whole strips are written.</param>
    /// <param name="stride">Floats from row to row of the sums.</param>
    public static void Multiply(PackedIntegers weights, QuantizedRows x, int firstRow, int rows, int first, int count, float* sums, nint stride)
    {
        switch (weights.Instructions)
        {
            case DotInstructions.Avx512: Multiply<DotAvx512, Simd512, Vector512<float>, Vector512<int>>(weights, x, firstRow, rows, first, count, sums, stride); break;
            case DotInstructions.AvxVnni: Multiply<DotAvxVnni, Simd256, Vector256<float>, Vector256<int>>(weights, x, firstRow, rows, first, count, sums, stride); break;
            case DotInstructions.Avx2: Multiply<DotAvx2, Simd256, Vector256<float>, Vector256<int>>(weights, x, firstRow, rows, first, count, sums, stride); break;
            case DotInstructions.ArmDot: Multiply<DotArm, Simd128, Vector128<float>, Vector128<int>>(weights, x, firstRow, rows, first, count, sums, stride); break;
            default: throw new NotSupportedException($"no integer products for {weights.Instructions}");
        }
    }

    private static void Multiply<TDot, TSimd, TFloat, TInt>(PackedIntegers weights, QuantizedRows x, int firstRow, int rows, int first, int count, float* sums, nint stride)
        where TDot : struct, IDotSimd<TFloat, TInt>
        where TSimd : struct, ISimd<TFloat>
        where TFloat : struct
        where TInt : struct
    {
        if (weights.IsNibbles)
            Multiply<TDot, TSimd, TFloat, TInt, Nibbles<TDot, TFloat, TInt>>(weights, x, firstRow, rows, first, count, sums, stride);
        else
            Multiply<TDot, TSimd, TFloat, TInt, Bytes<TDot, TFloat, TInt>>(weights, x, firstRow, rows, first, count, sums, stride);
    }

    private static void Multiply<TDot, TSimd, TFloat, TInt, TBlock>(PackedIntegers weights, QuantizedRows x, int firstRow, int rows, int first, int count, float* sums, nint stride)
        where TDot : struct, IDotSimd<TFloat, TInt>
        where TSimd : struct, ISimd<TFloat>
        where TFloat : struct
        where TInt : struct
        where TBlock : struct, IBlock<TInt>
    {
        int row = 0;
        for (; row <= rows - 4; row += 4)
            for (int output = 0; output < count; output += TDot.Lanes)
                FourRows<TDot, TSimd, TFloat, TInt, TBlock>(new Strip(weights, (first + output) / TDot.Lanes), x, firstRow + row, sums + (row * stride) + output, stride);
        for (; row < rows; row++)
            for (int output = 0; output < count; output += TDot.Lanes)
                OneRow<TDot, TSimd, TFloat, TInt, TBlock>(new Strip(weights, (first + output) / TDot.Lanes), x, firstRow + row, sums + (row * stride) + output);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow<TDot, TSimd, TFloat, TInt, TBlock>(Strip strip, QuantizedRows x, int row, float* sums)
        where TDot : struct, IDotSimd<TFloat, TInt>
        where TSimd : struct, ISimd<TFloat>
        where TFloat : struct
        where TInt : struct
        where TBlock : struct, IBlock<TInt>
    {
        byte* w = strip.Elements, x0 = x.Row(row);
        float* scales = strip.Scales, scale0 = x.Scales(row);
        int* negative0 = x.NegativeSums(row);
        byte* zeroPoints = strip.ZeroPoints;
        TInt zeros = TDot.Broadcast(strip.Zero);
        TFloat sum0 = TSimd.Broadcast(0f);
        int block = 0;
        for (int group = 0; group < strip.Groups; group++, scales += TDot.Lanes)
        {
            if (zeroPoints is not null)
                zeros = TDot.LoadBytes(zeroPoints + (group * TDot.Lanes));
            TFloat part0 = TSimd.Broadcast(0f);
            int end = Math.Min(block + strip.BlocksOfGroup, strip.Blocks);
            for (; block < end; block++)
            {
                TInt dot0 = TBlock.One(w, x0);
                dot0 = TDot.AddProduct(dot0, zeros, TDot.Broadcast(negative0[block]));
                part0 = TSimd.MultiplyAdd(TDot.ToFloat(dot0), TSimd.Broadcast(scale0[block]), part0);
                w += TBlock.WeightBytes;
                x0 += TBlock.ActivationBytes;
            }

            sum0 = TSimd.MultiplyAdd(part0, TSimd.Load(scales), sum0);
        }

        TSimd.Store(sum0, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows<TDot, TSimd, TFloat, TInt, TBlock>(Strip strip, QuantizedRows x, int row, float* sums, nint stride)
        where TDot : struct, IDotSimd<TFloat, TInt>
        where TSimd : struct, ISimd<TFloat>
        where TFloat : struct
        where TInt : struct
        where TBlock : struct, IBlock<TInt>
    {
        byte* w = strip.Elements, x0 = x.Row(row), x1 = x.Row(row + 1), x2 = x.Row(row + 2), x3 = x.Row(row + 3);
        float* scales = strip.Scales, blockScales = x.Scales(row);
        int* negatives = x.NegativeSums(row);
        nint blocks = x.Blocks;
        byte* zeroPoints = strip.ZeroPoints;
        TInt zeros = TDot.Broadcast(strip.Zero);
        TFloat sum0 = TSimd.Broadcast(0f), sum1 = sum0, sum2 = sum0, sum3 = sum0;
        int block = 0;
        for (int group = 0; group < strip.Groups; group++, scales += TDot.Lanes)
        {
            if (zeroPoints is not null)
                zeros = TDot.LoadBytes(zeroPoints + (group * TDot.Lanes));
            TFloat part0 = TSimd.Broadcast(0f), part1 = part0, part2 = part0, part3 = part0;
            int end = Math.Min(block + strip.BlocksOfGroup, strip.Blocks);
            for (; block < end; block++)
            {
                TBlock.Four(w, x0, x1, x2, x3, out TInt dot0, out TInt dot1, out TInt dot2, out TInt dot3);
                dot0 = TDot.AddProduct(dot0, zeros, TDot.Broadcast(negatives[block]));
                dot1 = TDot.AddProduct(dot1, zeros, TDot.Broadcast(negatives[block + blocks]));
                dot2 = TDot.AddProduct(dot2, zeros, TDot.Broadcast(negatives[block + (2 * blocks)]));
                dot3 = TDot.AddProduct(dot3, zeros, TDot.Broadcast(negatives[block + (3 * blocks)]));
                part0 = TSimd.MultiplyAdd(TDot.ToFloat(dot0), TSimd.Broadcast(blockScales[block]), part0);
                part1 = TSimd.MultiplyAdd(TDot.ToFloat(dot1), TSimd.Broadcast(blockScales[block + blocks]), part1);
                part2 = TSimd.MultiplyAdd(TDot.ToFloat(dot2), TSimd.Broadcast(blockScales[block + (2 * blocks)]), part2);
                part3 = TSimd.MultiplyAdd(TDot.ToFloat(dot3), TSimd.Broadcast(blockScales[block + (3 * blocks)]), part3);
                w += TBlock.WeightBytes;
                x0 += TBlock.ActivationBytes;
                x1 += TBlock.ActivationBytes;
                x2 += TBlock.ActivationBytes;
                x3 += TBlock.ActivationBytes;
            }

            TFloat scale = TSimd.Load(scales);
            sum0 = TSimd.MultiplyAdd(part0, scale, sum0);
            sum1 = TSimd.MultiplyAdd(part1, scale, sum1);
            sum2 = TSimd.MultiplyAdd(part2, scale, sum2);
            sum3 = TSimd.MultiplyAdd(part3, scale, sum3);
        }

        TSimd.Store(sum0, sums);
        TSimd.Store(sum1, sums + stride);
        TSimd.Store(sum2, sums + (2 * stride));
        TSimd.Store(sum3, sums + (3 * stride));
    }

    /// <summary>Addresses of one strip.</summary>
    private readonly struct Strip(PackedIntegers weights, int strip)
    {
        public readonly byte* Elements = weights.Elements + (strip * weights.StripBytes);
        public readonly float* Scales = weights.Scales + ((nint)strip * weights.Groups * weights.Lanes);
        public readonly byte* ZeroPoints = weights.ZeroPoints is null ? null : weights.ZeroPoints + ((nint)strip * weights.Groups * weights.Lanes);
        public readonly int Groups = weights.Groups;
        public readonly int Blocks = weights.Blocks;
        public readonly int BlocksOfGroup = weights.BlocksOfGroup;
        public readonly int Zero = weights.Zero;
    }

    /// <summary>The exact sums of one block of 32 inputs of a strip, zero points left out.</summary>
    private interface IBlock<TInt>
        where TInt : struct
    {
        static abstract int WeightBytes { get; }

        static abstract int ActivationBytes { get; }

        static abstract TInt One(byte* w, byte* x);

        static abstract void Four(byte* w, byte* x0, byte* x1, byte* x2, byte* x3, out TInt dot0, out TInt dot1, out TInt dot2, out TInt dot3);
    }

    private readonly struct Nibbles<TDot, TFloat, TInt> : IBlock<TInt>
        where TDot : struct, IDotSimd<TFloat, TInt>
        where TFloat : struct
        where TInt : struct
    {
        private const int StepBytes = QuantizedRows.StepInputs;

        private static int VectorBytes => TDot.Lanes * QuantizedRows.StepInputs;

        public static int WeightBytes => 4 * VectorBytes;

        public static int ActivationBytes => QuantizedRows.BlockInputs;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TInt One(byte* w, byte* x)
        {
            Prefetch.Far(w + AheadBytes);
            TInt weights = TDot.Load(w);
            TInt dot = TDot.AddNibbles(TDot.Zero, TDot.LowNibbles(weights), Activations(x, 0));
            dot = TDot.AddNibbles(dot, TDot.HighNibbles(weights), Activations(x, 1));
            Prefetch.Far(w + VectorBytes + AheadBytes);
            weights = TDot.Load(w + VectorBytes);
            dot = TDot.AddNibbles(dot, TDot.LowNibbles(weights), Activations(x, 2));
            dot = TDot.AddNibbles(dot, TDot.HighNibbles(weights), Activations(x, 3));
            Prefetch.Far(w + (2 * VectorBytes) + AheadBytes);
            weights = TDot.Load(w + (2 * VectorBytes));
            dot = TDot.AddNibbles(dot, TDot.LowNibbles(weights), Activations(x, 4));
            dot = TDot.AddNibbles(dot, TDot.HighNibbles(weights), Activations(x, 5));
            Prefetch.Far(w + (3 * VectorBytes) + AheadBytes);
            weights = TDot.Load(w + (3 * VectorBytes));
            dot = TDot.AddNibbles(dot, TDot.LowNibbles(weights), Activations(x, 6));
            dot = TDot.AddNibbles(dot, TDot.HighNibbles(weights), Activations(x, 7));
            return TDot.FinishNibbles(dot);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Four(byte* w, byte* x0, byte* x1, byte* x2, byte* x3, out TInt dot0, out TInt dot1, out TInt dot2, out TInt dot3)
        {
            TInt sum0 = TDot.Zero, sum1 = sum0, sum2 = sum0, sum3 = sum0;
            for (int pair = 0; pair < 8; pair += 2)
            {
                TInt weights = TDot.Load(w + (pair / 2 * VectorBytes)), low = TDot.LowNibbles(weights), high = TDot.HighNibbles(weights);
                sum0 = TDot.AddNibbles(TDot.AddNibbles(sum0, low, Activations(x0, pair)), high, Activations(x0, pair + 1));
                sum1 = TDot.AddNibbles(TDot.AddNibbles(sum1, low, Activations(x1, pair)), high, Activations(x1, pair + 1));
                sum2 = TDot.AddNibbles(TDot.AddNibbles(sum2, low, Activations(x2, pair)), high, Activations(x2, pair + 1));
                sum3 = TDot.AddNibbles(TDot.AddNibbles(sum3, low, Activations(x3, pair)), high, Activations(x3, pair + 1));
            }

            dot0 = TDot.FinishNibbles(sum0);
            dot1 = TDot.FinishNibbles(sum1);
            dot2 = TDot.FinishNibbles(sum2);
            dot3 = TDot.FinishNibbles(sum3);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TInt Activations(byte* x, int step) => TDot.Broadcast(*(int*)(x + (step * StepBytes)));
    }

    private readonly struct Bytes<TDot, TFloat, TInt> : IBlock<TInt>
        where TDot : struct, IDotSimd<TFloat, TInt>
        where TFloat : struct
        where TInt : struct
    {
        private static int VectorBytes => TDot.Lanes * QuantizedRows.StepInputs;

        public static int WeightBytes => 8 * VectorBytes;

        public static int ActivationBytes => 8 * TDot.ByteStepBytes;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TInt One(byte* w, byte* x)
        {
            TInt dot = TDot.Zero;
            for (int step = 0; step < 8; step++)
            {
                Prefetch.Far(w + (step * VectorBytes) + AheadBytes);
                TInt weights = TDot.Load(w + (step * VectorBytes));
                dot = TDot.AddBytes(dot, TDot.FirstBytes(weights), TDot.SecondBytes(weights), x + (step * TDot.ByteStepBytes));
            }

            return dot;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Four(byte* w, byte* x0, byte* x1, byte* x2, byte* x3, out TInt dot0, out TInt dot1, out TInt dot2, out TInt dot3)
        {
            TInt sum0 = TDot.Zero, sum1 = sum0, sum2 = sum0, sum3 = sum0;
            for (int step = 0; step < 8; step++)
            {
                TInt weights = TDot.Load(w + (step * VectorBytes)), first = TDot.FirstBytes(weights), second = TDot.SecondBytes(weights);
                int offset = step * TDot.ByteStepBytes;
                sum0 = TDot.AddBytes(sum0, first, second, x0 + offset);
                sum1 = TDot.AddBytes(sum1, first, second, x1 + offset);
                sum2 = TDot.AddBytes(sum2, first, second, x2 + offset);
                sum3 = TDot.AddBytes(sum3, first, second, x3 + offset);
            }

            (dot0, dot1, dot2, dot3) = (sum0, sum1, sum2, sum3);
        }
    }
}

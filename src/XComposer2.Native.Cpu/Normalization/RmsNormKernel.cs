using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>x / sqrt(mean(x²) + eps) * weight, per row.</summary>
public static unsafe class RmsNormKernel
{
    /// <param name="input">[rows, columns].</param>
    /// <param name="weight">[1, columns] of any floating-point type.</param>
    /// <param name="epsilon">Added to the mean of squares.</param>
    /// <param name="output">[rows, columns]; may be <paramref name="input"/>.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* input, FloatMatrix weight, float epsilon, float* output, int rows, int columns, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        FloatLoads.Require(weight, nameof(weight), 1, columns);
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(input, weight, epsilon, output, rows, columns, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(input, weight, epsilon, output, rows, columns, pool); break;
            default: Run<Simd128, Vector128<float>>(input, weight, epsilon, output, rows, columns, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(
        float* input, FloatMatrix weight, float epsilon, float* output, int rows, int columns, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var work = new Work<TSimd, TVector>(input, weight, epsilon, output, RowBlocks.For(rows, columns), columns);
        pool.Run(work.Blocks.Count, ref work);
    }

    private readonly struct Work<TSimd, TVector>(
        float* input, FloatMatrix weight, float epsilon, float* output, RowBlocks blocks, int columns) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public RowBlocks Blocks => blocks;

        public void Run(int task, int worker)
        {
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
                Row(input + ((nint)row * columns), output + ((nint)row * columns));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Row(float* x, float* y)
        {
            float squares = RowSums.Squares<TSimd, TVector>(x, columns, 0f);
            float factor = 1f / MathF.Sqrt((squares / columns) + epsilon);
            TVector factors = TSimd.Broadcast(factor);
            int i = 0;
            for (; i <= columns - TSimd.Count; i += TSimd.Count)
            {
                TVector gain = FloatLoads.Vector<TSimd, TVector>(weight.Data, weight.Type, i);
                TSimd.Store(TSimd.Multiply(TSimd.Multiply(TSimd.Load(x + i), factors), gain), y + i);
            }

            for (; i < columns; i++)
                y[i] = x[i] * factor * FloatLoads.Scalar(weight.Data, weight.Type, i);
        }
    }
}

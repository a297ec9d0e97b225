using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>(x - mean) / sqrt(variance + eps) * weight + bias, per row. The variance is computed in a second pass around the mean.</summary>
public static unsafe class LayerNormKernel
{
    /// <param name="input">[rows, columns].</param>
    /// <param name="weight">[1, columns] of any floating-point type.</param>
    /// <param name="bias">[1, columns] of any floating-point type.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="output">[rows, columns]; may be <paramref name="input"/>.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* input, FloatMatrix weight, FloatMatrix bias, float epsilon, float* output, int rows, int columns, WorkerPool pool,
        VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        FloatLoads.Require(weight, nameof(weight), 1, columns);
        FloatLoads.Require(bias, nameof(bias), 1, columns);
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(input, weight, bias, epsilon, output, rows, columns, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(input, weight, bias, epsilon, output, rows, columns, pool); break;
            default: Run<Simd128, Vector128<float>>(input, weight, bias, epsilon, output, rows, columns, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(
        float* input, FloatMatrix weight, FloatMatrix bias, float epsilon, float* output, int rows, int columns, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var work = new Work<TSimd, TVector>(input, weight, bias, epsilon, output, RowBlocks.For(rows, columns), columns);
        pool.Run(work.Blocks.Count, ref work);
    }

    private readonly struct Work<TSimd, TVector>(
        float* input, FloatMatrix weight, FloatMatrix bias, float epsilon, float* output, RowBlocks blocks, int columns) : IWork
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
            float mean = RowSums.Values<TSimd, TVector>(x, columns) / columns;
            float variance = RowSums.Squares<TSimd, TVector>(x, columns, mean) / columns;
            float factor = 1f / MathF.Sqrt(variance + epsilon);
            TVector means = TSimd.Broadcast(mean);
            TVector factors = TSimd.Broadcast(factor);
            int i = 0;
            for (; i <= columns - TSimd.Count; i += TSimd.Count)
            {
                TVector gain = FloatLoads.Vector<TSimd, TVector>(weight.Data, weight.Type, i);
                TVector shift = FloatLoads.Vector<TSimd, TVector>(bias.Data, bias.Type, i);
                TVector normal = TSimd.Multiply(TSimd.Subtract(TSimd.Load(x + i), means), factors);
                TSimd.Store(TSimd.MultiplyAdd(normal, gain, shift), y + i);
            }

            for (; i < columns; i++)
            {
                float normal = (x[i] - mean) * factor;
                y[i] = (normal * FloatLoads.Scalar(weight.Data, weight.Type, i)) + FloatLoads.Scalar(bias.Data, bias.Type, i);
            }
        }
    }
}

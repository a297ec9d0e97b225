using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>One step of AdamW over one parameter, and the sum of squares that clipping needs.</summary>
public static unsafe class AdamWKernel
{
    private const int Block = 16 * 1024;

    /// <summary>value = value (1 - rate decay) - rate / (1 - beta1ⁿ) m / (sqrt(v) / sqrt(1 - beta2ⁿ) + epsilon), with m and v the running means of the clipped gradient and its square.</summary>
    /// <param name="values">[count].</param>
    /// <param name="gradient">[count].</param>
    /// <param name="first">m [count], zero before the first step.</param>
    /// <param name="second">v [count], zero before the first step.</param>
    /// <param name="count">Elements.</param>
    /// <param name="step">Factors of this step.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* values, float* gradient, float* first, float* second, long count, in AdamWFactors step, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(values, gradient, first, second, count, step, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(values, gradient, first, second, count, step, pool); break;
            default: Run<Simd128, Vector128<float>>(values, gradient, first, second, count, step, pool); break;
        }
    }

    /// <summary>The sum of all squares, in blocks of fixed size, so that it is the same for any number of threads.</summary>
    /// <param name="values">[count].</param>
    /// <param name="count">Elements.</param>
    /// <param name="pool">Worker threads.</param>
    public static double SumOfSquares(float* values, long count, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        double[] sums = new double[(int)((count + Block - 1) / Block)];
        fixed (double* target = sums)
        {
            var work = new Squares(values, count, target);
            pool.Run(sums.Length, ref work);
        }

        double sum = 0;
        foreach (double part in sums)
            sum += part;
        return sum;
    }

    private static void Run<TSimd, TVector>(float* values, float* gradient, float* first, float* second, long count, in AdamWFactors step, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var work = new Work<TSimd, TVector>(values, gradient, first, second, count, step);
        pool.Run(checked((int)((count + Block - 1) / Block)), ref work);
    }

    private readonly struct Squares(float* values, long count, double* sums) : IWork
    {
        public void Run(int task, int worker)
        {
            // Eight sums on every processor, added in one order.
            Vector512<double> lanes = Vector512<double>.Zero;
            long start = (long)task * Block, end = Math.Min(count, start + Block), i = start;
            for (; i <= end - Vector256<float>.Count; i += Vector256<float>.Count)
            {
                (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(Vector256.Load(values + i));
                Vector512<double> wide = Vector512.Create(lower, upper);
                lanes += wide * wide;
            }

            double sum = 0;
            for (int lane = 0; lane < Vector512<double>.Count; lane++)
                sum += lanes[lane];
            for (; i < end; i++)
                sum += (double)values[i] * values[i];
            sums[task] = sum;
        }
    }

    private readonly struct Work<TSimd, TVector>(float* values, float* gradient, float* first, float* second, long count, AdamWFactors step) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int task, int worker)
        {
            long start = (long)task * Block, end = Math.Min(count, start + Block);
            TVector keep1 = TSimd.Broadcast(step.Beta1), add1 = TSimd.Broadcast(1 - step.Beta1), keep2 = TSimd.Broadcast(step.Beta2), add2 = TSimd.Broadcast(1 - step.Beta2);
            TVector correction = TSimd.Broadcast(step.RootCorrection), epsilon = TSimd.Broadcast(step.Epsilon);
            TVector shrink = TSimd.Broadcast(step.Shrink), clip = TSimd.Broadcast(step.Clip), size = TSimd.Broadcast(step.StepSize);
            long i = start;
            for (; i <= end - TSimd.Count; i += TSimd.Count)
            {
                TVector g = TSimd.Multiply(TSimd.Load(gradient + i), clip);
                TVector m = TSimd.Add(TSimd.Multiply(TSimd.Load(first + i), keep1), TSimd.Multiply(g, add1));
                TVector v = TSimd.Add(TSimd.Multiply(TSimd.Load(second + i), keep2), TSimd.Multiply(TSimd.Multiply(g, g), add2));
                TSimd.Store(m, first + i);
                TSimd.Store(v, second + i);
                TVector denominator = TSimd.Add(TSimd.Divide(TSimd.SquareRoot(v), correction), epsilon);
                TVector change = TSimd.Multiply(size, TSimd.Divide(m, denominator));
                TSimd.Store(TSimd.Subtract(TSimd.Multiply(TSimd.Load(values + i), shrink), change), values + i);
            }

            for (; i < end; i++)
            {
                float g = gradient[i] * step.Clip;
                first[i] = (first[i] * step.Beta1) + (g * (1 - step.Beta1));
                second[i] = (second[i] * step.Beta2) + (g * g * (1 - step.Beta2));
                float denominator = (MathF.Sqrt(second[i]) / step.RootCorrection) + step.Epsilon;
                values[i] = (values[i] * step.Shrink) - (step.StepSize * (first[i] / denominator));
            }
        }
    }
}

/// <summary>What a step of AdamW multiplies with.</summary>
/// <param name="Beta1">Share of the old mean.</param>
/// <param name="Beta2">Share of the old mean of squares.</param>
/// <param name="Epsilon">Added to the root.</param>
/// <param name="Shrink">1 - rate * decay.</param>
/// <param name="StepSize">rate / (1 - beta1ⁿ).</param>
/// <param name="RootCorrection">sqrt(1 - beta2ⁿ).</param>
/// <param name="Clip">Factor of the gradient.</param>
public readonly record struct AdamWFactors(float Beta1, float Beta2, float Epsilon, float Shrink, float StepSize, float RootCorrection, float Clip);

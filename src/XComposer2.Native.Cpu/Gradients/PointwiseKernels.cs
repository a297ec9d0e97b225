using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Operations that take each element by itself: activations, their gradients, products and sums.</summary>
public static class PointwiseKernels
{
    /// <summary>activation(x).</summary>
    public static unsafe void Activate(float* input, Activation activation, float* output, long count, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        switch (activation)
        {
            case Activation.QuickGelu: Run<QuickGelu>(input, input, input, 0, output, count, pool, width); break;
            case Activation.Gelu: Run<Gelu>(input, input, input, 0, output, count, pool, width); break;
            default: throw new ArgumentOutOfRangeException(nameof(activation), activation, "expected an activation that changes something");
        }
    }

    /// <summary>g * activation'(x).</summary>
    public static unsafe void ActivationGradient(
        float* gradient, float* input, Activation activation, float* output, long count, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        switch (activation)
        {
            case Activation.QuickGelu: Run<QuickGeluGradient>(gradient, input, input, 0, output, count, pool, width); break;
            case Activation.Gelu: Run<GeluGradient>(gradient, input, input, 0, output, count, pool, width); break;
            default: throw new ArgumentOutOfRangeException(nameof(activation), activation, "expected an activation that changes something");
        }
    }

    /// <summary>silu(gate) * up.</summary>
    public static unsafe void SiluProduct(float* gate, float* up, float* output, long count, WorkerPool pool, VectorWidth width = VectorWidth.Best) =>
        Run<SiluOf>(up, gate, gate, 0, output, count, pool, width);

    /// <summary>g * up * silu'(gate); g * silu(gate), the gradient by up, where <paramref name="up"/> is null.</summary>
    public static unsafe void SiluProductGradient(float* gradient, float* gate, float* up, float* output, long count, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        if (up is null)
            Run<SiluOf>(gradient, gate, gate, 0, output, count, pool, width);
        else
            Run<SiluGateGradient>(gradient, gate, up, 0, output, count, pool, width);
    }

    /// <summary>left + scale * right; scale * right where <paramref name="left"/> is null.</summary>
    public static unsafe void Add(float* left, float* right, float scale, float* output, long count, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        if (left is null)
            Run<Scaled>(right, right, right, scale, output, count, pool, width);
        else
            Run<ScaledSum>(left, right, right, scale, output, count, pool, width);
    }

    private static unsafe void Run<TFunction>(float* a, float* b, float* c, float scale, float* output, long count, WorkerPool pool, VectorWidth width)
        where TFunction : struct, IPointwise
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Run<TFunction, Simd512, Vector512<float>>(a, b, c, scale, output, count, pool); break;
            case VectorWidth.Bits256: Run<TFunction, Simd256, Vector256<float>>(a, b, c, scale, output, count, pool); break;
            default: Run<TFunction, Simd128, Vector128<float>>(a, b, c, scale, output, count, pool); break;
        }
    }

    private static unsafe void Run<TFunction, TSimd, TVector>(float* a, float* b, float* c, float scale, float* output, long count, WorkerPool pool)
        where TFunction : struct, IPointwise
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var work = new Work<TFunction, TSimd, TVector>(a, b, c, scale, output, count);
        pool.Run(checked((int)((count + Work<TFunction, TSimd, TVector>.Block - 1) / Work<TFunction, TSimd, TVector>.Block)), ref work);
    }

    private interface IPointwise
    {
        static abstract TVector Of<TSimd, TVector>(TVector a, TVector b, TVector c, TVector scale)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct;
    }

    private readonly unsafe struct Work<TFunction, TSimd, TVector>(float* a, float* b, float* c, float scale, float* output, long count) : IWork
        where TFunction : struct, IPointwise
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public const int Block = 16 * 1024;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int task, int worker)
        {
            TVector factor = TSimd.Broadcast(scale);
            long i = (long)task * Block, end = Math.Min(count, i + Block);
            for (; i <= end - TSimd.Count; i += TSimd.Count)
                TSimd.Store(TFunction.Of<TSimd, TVector>(TSimd.Load(a + i), TSimd.Load(b + i), TSimd.Load(c + i), factor), output + i);
            if (i == end)
                return;
            int rest = (int)(end - i);
            float* tails = stackalloc float[4 * TSimd.Count];
            new Span<float>(tails, 4 * TSimd.Count).Clear();
            new ReadOnlySpan<float>(a + i, rest).CopyTo(new Span<float>(tails, rest));
            new ReadOnlySpan<float>(b + i, rest).CopyTo(new Span<float>(tails + TSimd.Count, rest));
            new ReadOnlySpan<float>(c + i, rest).CopyTo(new Span<float>(tails + (2 * TSimd.Count), rest));
            TVector result = TFunction.Of<TSimd, TVector>(TSimd.Load(tails), TSimd.Load(tails + TSimd.Count), TSimd.Load(tails + (2 * TSimd.Count)), factor);
            TSimd.Store(result, tails + (3 * TSimd.Count));
            new ReadOnlySpan<float>(tails + (3 * TSimd.Count), rest).CopyTo(new Span<float>(output + i, rest));
        }
    }

    private readonly struct QuickGelu : IPointwise
    {
        public static TVector Of<TSimd, TVector>(TVector a, TVector b, TVector c, TVector scale)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => Activations.QuickGelu<TSimd, TVector>(a);
    }

    private readonly struct Gelu : IPointwise
    {
        public static TVector Of<TSimd, TVector>(TVector a, TVector b, TVector c, TVector scale)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => Activations.Gelu<TSimd, TVector>(a);
    }

    private readonly struct QuickGeluGradient : IPointwise
    {
        public static TVector Of<TSimd, TVector>(TVector a, TVector b, TVector c, TVector scale)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => TSimd.Multiply(a, Activations.SwishSlope<TSimd, TVector>(b, 1.702f));
    }

    private readonly struct GeluGradient : IPointwise
    {
        public static TVector Of<TSimd, TVector>(TVector a, TVector b, TVector c, TVector scale)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => TSimd.Multiply(a, Activations.GeluSlope<TSimd, TVector>(b));
    }

    private readonly struct SiluOf : IPointwise
    {
        public static TVector Of<TSimd, TVector>(TVector a, TVector b, TVector c, TVector scale)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => TSimd.Multiply(a, Activations.Silu<TSimd, TVector>(b));
    }

    private readonly struct SiluGateGradient : IPointwise
    {
        public static TVector Of<TSimd, TVector>(TVector a, TVector b, TVector c, TVector scale)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => TSimd.Multiply(TSimd.Multiply(a, c), Activations.SwishSlope<TSimd, TVector>(b, 1f));
    }

    private readonly struct Scaled : IPointwise
    {
        public static TVector Of<TSimd, TVector>(TVector a, TVector b, TVector c, TVector scale)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => TSimd.Multiply(a, scale);
    }

    private readonly struct ScaledSum : IPointwise
    {
        public static TVector Of<TSimd, TVector>(TVector a, TVector b, TVector c, TVector scale)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => TSimd.Add(a, TSimd.Multiply(b, scale));
    }
}

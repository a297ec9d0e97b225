using System.Runtime.Intrinsics;
using XComposer2.Native.Cpu;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class ActivationsTests
{
    private delegate void Apply(float* x, float* y);

    [Fact]
    public void Reference_matches_tables_of_the_normal_distribution()
    {
        Assert.Equal(0.8413447460685429, NormalTail.Gelu(1), 1e-15);
        Assert.Equal(-0.0013498980316300933 * 3, NormalTail.Gelu(-3), 1e-16);
        Assert.Equal(-2.8665157187919333e-7 * 5, NormalTail.Gelu(-5), 1e-20);
        Assert.Equal(-6.220960574271785e-16 * 8, NormalTail.Gelu(-8), 1e-28);
    }

    [Fact]
    public void Gelu_has_a_relative_error_below_1e_6_in_the_tail() =>
        Sweep(NormalTail.Gelu, -13, 13, 6e-7, Gelu<Simd128, Vector128<float>>, Gelu<Simd256, Vector256<float>>, Gelu<Simd512, Vector512<float>>);

    // Rounding x * log2(e) shifts the exponent by up to 60 / 2^24 in the tail.
    [Fact]
    public void Silu_matches_doubles() =>
        Sweep(x => x / (1 + Math.Exp(-x)), -40, 40, 5e-6, Silu<Simd128, Vector128<float>>, Silu<Simd256, Vector256<float>>, Silu<Simd512, Vector512<float>>);

    [Fact]
    public void Silu_is_more_accurate_near_zero() =>
        Sweep(x => x / (1 + Math.Exp(-x)), -4, 20, 8e-7, Silu<Simd128, Vector128<float>>, Silu<Simd256, Vector256<float>>, Silu<Simd512, Vector512<float>>);

    [Fact]
    public void Quick_gelu_matches_doubles() =>
        Sweep(
            x => x / (1 + Math.Exp(-1.702 * x)), -3, 20, 1e-6,
            QuickGelu<Simd128, Vector128<float>>, QuickGelu<Simd256, Vector256<float>>, QuickGelu<Simd512, Vector512<float>>);

    [Fact]
    public void Extreme_inputs_saturate_and_nan_propagates()
    {
        foreach (Apply apply in new Apply[] { Gelu<Simd256, Vector256<float>>, Silu<Simd256, Vector256<float>>, QuickGelu<Simd256, Vector256<float>> })
        {
            Assert.Equal(0f, One(apply, 0f));
            Assert.Equal(0f, One(apply, -200f), 1e-30f);
            Assert.Equal(0f, One(apply, -1e30f), 1e-6f);
            Assert.Equal(1e30f, One(apply, 1e30f));
            Assert.Equal(float.PositiveInfinity, One(apply, float.PositiveInfinity));
            Assert.True(float.IsNaN(One(apply, float.NaN)));
        }

        static float One(Apply apply, float value)
        {
            float* x = stackalloc float[16];
            float* y = stackalloc float[16];
            new Span<float>(x, 16).Fill(value);
            apply(x, y);
            return y[0];
        }
    }

    private static void Sweep(Func<double, double> expected, double from, double to, double relative, params Apply[] widths)
    {
        const int Count = 1 << 16;
        float* x = stackalloc float[16];
        float* y = stackalloc float[16];
        for (int i = 0; i < Count; i += 16)
        {
            for (int j = 0; j < 16; j++)
                x[j] = (float)(from + ((to - from) * (i + j) / Count));
            float[]? first = null;
            foreach (Apply apply in widths)
            {
                apply(x, y);
                float[] results = new Span<float>(y, 16).ToArray();
                for (int j = 0; j < 16; j++)
                    Assert.Equal(expected(x[j]), y[j], Math.Abs(expected(x[j])) * relative);
                first ??= results;
                if (System.Runtime.Intrinsics.X86.Fma.IsSupported)
                    Accuracy.Same(first, results);
            }
        }
    }

    private static void Gelu<TSimd, TVector>(float* x, float* y)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int i = 0; i < 16; i += TSimd.Count)
            TSimd.Store(Activations.Gelu<TSimd, TVector>(TSimd.Load(x + i)), y + i);
    }

    private static void Silu<TSimd, TVector>(float* x, float* y)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int i = 0; i < 16; i += TSimd.Count)
            TSimd.Store(Activations.Silu<TSimd, TVector>(TSimd.Load(x + i)), y + i);
    }

    private static void QuickGelu<TSimd, TVector>(float* x, float* y)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int i = 0; i < 16; i += TSimd.Count)
            TSimd.Store(Activations.QuickGelu<TSimd, TVector>(TSimd.Load(x + i)), y + i);
    }
}

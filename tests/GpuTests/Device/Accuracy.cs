using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>How far results of kernels may be from double-precision ones, per data type. All tolerances of kernel tests come from here.</summary>
/// <remarks>
/// A result is a sum in F32, rounded once when it is stored. Rounding to a type with p bits of precision is off by at most u = 2^-p of the value.
/// A sum of n products in F32 is off by about sqrt(n) 2^-24 of the root of the sum of squares where terms have random signs, and by n 2^-24 of the sum
/// of magnitudes at worst. So a stored result may be off by u |y| + n^0.5 2^-22 of the magnitude that the terms have together (4 times the expected
/// deviation: no element of millions goes beyond).
/// Tensor cores truncate where they add: four products and the sum so far at a time (Turing; Ampere takes eight, Hopper sixteen), and what is below the last
/// place of the sum is dropped. One addition loses less than a unit in the last place, 2^-23 of the partial sum, and always toward zero, so that losses do
/// not cancel: n products take n/4 steps and lose at most n/4 times 2^-23 of the greatest partial sum. Where a kernel gives parts of a sum to several
/// warps, a partial sum is the sum of any neighbours: at most the greatest prefix sum less the least. What is dropped of single products in their alignment
/// has random signs and is within the deviation above. F32 kernels multiply and add without tensor cores.
/// </remarks>
public static class Accuracy
{
    /// <summary>Half a unit in the last place, relative: 2^-24, 2^-11, 2^-8.</summary>
    public static double Rounding(DType storage) => storage switch
    {
        DType.F16 => 1.0 / (1 << 11),
        DType.BF16 => 1.0 / (1 << 8),
        _ => 1.0 / (1 << 24),
    };

    /// <summary>How far rounding once may move a value: half a unit in its last place, or half of the smallest step of the type.</summary>
    public static double Stored(double value, DType storage) =>
        (Rounding(storage) * Math.Abs(value)) + (storage == DType.F16 ? 1.0 / (1 << 25) : 0);

    /// <summary>Deviation of a sum of so many products in F32, relative to the root of the sum of their squares.</summary>
    public static double Summation(int terms) => Math.Sqrt(terms) / (1 << 22);

    /// <summary>What truncation in tensor cores may take from a sum of so many products, relative to the greatest of its partial sums.</summary>
    public static double Truncation(int terms, DType storage)
    {
        const int ProductsAtOnce = 4;
        return storage == DType.F32 ? 0 : (double)((terms + ProductsAtOnce - 1) / ProductsAtOnce) / (1 << 23);
    }

    /// <summary>Fails with the worst element where one is off by more than its bound. Bounds are absolute, one an element.</summary>
    public static void Within(ReadOnlySpan<double> expected, ReadOnlySpan<double> bounds, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        int worst = -1;
        double worstRatio = 1;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs(actual[i] - expected[i]);
            double ratio = difference / bounds[i];
            if (difference <= bounds[i] || ratio <= worstRatio) continue;
            (worst, worstRatio) = (i, double.IsNaN(ratio) ? double.PositiveInfinity : ratio);
        }
        for (int i = 0; i < expected.Length; i++)
            if (double.IsNaN(actual[i]) && !double.IsNaN(expected[i])) Assert.Fail($"{what}[{i}] is not a number, expected {expected[i]:g9}");
        if (worst >= 0)
            Assert.Fail($"{what}[{worst}] is {actual[worst]:g9}, expected {expected[worst]:g9}: {worstRatio:g3} times the bound {bounds[worst]:g3}");
    }

    /// <summary>Fails where the relative L2 distance is larger.</summary>
    public static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double relativeL2, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0, norm = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = actual[i] - expected[i];
            if (!double.IsFinite(difference)) Assert.Fail($"{what}[{i}] is {actual[i]}, expected {expected[i]:g9}");
            error += difference * difference;
            norm += expected[i] * expected[i];
        }
        double relative = Math.Sqrt(error / Math.Max(norm, double.Epsilon));
        Assert.True(relative <= relativeL2 || error == 0, $"{what}: relative L2 {relative:g3} over {relativeL2:g3}");
    }
}

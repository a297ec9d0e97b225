using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>2^x for softmax: relative error below 2e-7, 2^0 exactly 1.</summary>
public static class Exponential
{
    /// <summary>log2(e): e^x = 2^(x log2 e).</summary>
    public const float Log2E = 1.44269504f;

    private const float SmallestExponent = -126f;

    /// <summary>2^<paramref name="x"/> for x up to 127. Below -126 it is zero rather than subnormal; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector PowerOfTwo<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector whole = TSimd.Round(TSimd.Max(TSimd.Broadcast(SmallestExponent - 1f), x));
        TVector fraction = TSimd.Subtract(TSimd.Max(TSimd.Broadcast(SmallestExponent - 1f), x), whole);

        // (2^f - 1) / f on [-1/2, 1/2], interpolated at Chebyshev nodes; 9e-9 relative before rounding.
        TVector series = TSimd.Broadcast(0.00015453163f);
        series = TSimd.MultiplyAdd(series, fraction, TSimd.Broadcast(0.0013390863f));
        series = TSimd.MultiplyAdd(series, fraction, TSimd.Broadcast(0.009618083f));
        series = TSimd.MultiplyAdd(series, fraction, TSimd.Broadcast(0.05550357f));
        series = TSimd.MultiplyAdd(series, fraction, TSimd.Broadcast(0.24022651f));
        series = TSimd.MultiplyAdd(series, fraction, TSimd.Broadcast(0.6931472f));
        series = TSimd.MultiplyAdd(series, fraction, TSimd.Broadcast(1f));
        return TSimd.SelectLess(x, TSimd.Broadcast(SmallestExponent), TSimd.Broadcast(0f), TSimd.ScaleByPowerOfTwo(series, whole));
    }
}

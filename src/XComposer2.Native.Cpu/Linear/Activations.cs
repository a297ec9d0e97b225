using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>Activations of the linears, vector by vector. NaN stays NaN.</summary>
public static class Activations
{
    // Beyond it the normal distribution's tail is below every normal float.
    private const float LastOfTail = 13.5f;

    private const float LargestExponent = 126f;

    /// <summary>x * sigmoid(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Silu<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => Swish<TSimd, TVector>(x, -Exponential.Log2E);

    /// <summary>x * sigmoid(1.702 x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector QuickGelu<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => Swish<TSimd, TVector>(x, -1.702f * Exponential.Log2E);

    /// <summary>x * (1 + erf(x / sqrt 2)) / 2, within 6e-7 of itself however small it is (down to 1e-36).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Gelu<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => TSimd.Multiply(x, NormalShare<TSimd, TVector>(x));

    /// <summary>The derivative of <see cref="Gelu"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector GeluSlope<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector distance = Distance<TSimd, TVector>(x);
        TVector density = TSimd.Multiply(HalfSquareDecay<TSimd, TVector>(distance), TSimd.Broadcast(0.3989423f));
        return TSimd.MultiplyAdd(x, density, NormalShare<TSimd, TVector>(x));
    }

    /// <summary>The derivative of x * sigmoid(factor x): 1 for <see cref="Silu"/>, 1.702 for <see cref="QuickGelu"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector SwishSlope<TSimd, TVector>(TVector x, float factor)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector one = TSimd.Broadcast(1f);
        TVector exponent = TSimd.Multiply(x, TSimd.Broadcast(-factor * Exponential.Log2E));
        exponent = TSimd.SelectLess(TSimd.Broadcast(LargestExponent), exponent, TSimd.Broadcast(LargestExponent), exponent);
        TVector sigmoid = TSimd.Divide(one, TSimd.Add(one, Exponential.PowerOfTwo<TSimd, TVector>(exponent)));
        TVector rest = TSimd.Multiply(TSimd.Multiply(x, TSimd.Broadcast(factor)), TSimd.Subtract(one, sigmoid));
        return TSimd.MultiplyAdd(sigmoid, rest, sigmoid);
    }

    // The distance from zero, held where the tail is nothing.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Distance<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector distance = TSimd.Max(x, TSimd.Subtract(TSimd.Broadcast(0f), x));
        return TSimd.SelectLess(TSimd.Broadcast(LastOfTail), distance, TSimd.Broadcast(LastOfTail), distance);
    }

    // (1 + erf(x / sqrt 2)) / 2.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector NormalShare<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector zero = TSimd.Broadcast(0f);
        TVector one = TSimd.Broadcast(1f);
        TVector distance = Distance<TSimd, TVector>(x);

        // The tail of the normal distribution over its density is smooth: a polynomial in t = 1 / (1 + distance / 4) without constant term,
        // interpolated at Chebyshev nodes; 1.2e-8 relative before rounding. 1 / sqrt(2 pi) is in the coefficients.
        TVector t = TSimd.Divide(one, TSimd.MultiplyAdd(distance, TSimd.Broadcast(0.25f), one));
        TVector series = TSimd.Broadcast(0.014827986f);
        series = TSimd.MultiplyAdd(series, t, TSimd.Broadcast(-0.05318486f));
        series = TSimd.MultiplyAdd(series, t, TSimd.Broadcast(0.028800877f));
        series = TSimd.MultiplyAdd(series, t, TSimd.Broadcast(0.059320947f));
        series = TSimd.MultiplyAdd(series, t, TSimd.Broadcast(-0.013383634f));
        series = TSimd.MultiplyAdd(series, t, TSimd.Broadcast(0.100927676f));
        series = TSimd.MultiplyAdd(series, t, TSimd.Broadcast(0.066955635f));
        series = TSimd.MultiplyAdd(series, t, TSimd.Broadcast(0.096625324f));
        series = TSimd.MultiplyAdd(series, t, TSimd.Broadcast(0.0993548f));
        series = TSimd.MultiplyAdd(series, t, TSimd.Broadcast(0.09975525f));
        TVector tail = TSimd.Multiply(TSimd.Multiply(series, t), HalfSquareDecay<TSimd, TVector>(distance));
        return TSimd.SelectLess(x, zero, tail, TSimd.Subtract(one, tail));
    }

    // e^(-distance² / 2). What rounding takes from the exponent, up to 90, is far too much: it is computed too, and given back.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector HalfSquareDecay<TSimd, TVector>(TVector distance)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        const float Factor = -0.5f * Exponential.Log2E;
        const float FactorRest = -9.6298e-9f;
        TVector zero = TSimd.Broadcast(0f);
        TVector square = TSimd.Multiply(distance, distance);
        TVector squareRest = TSimd.MultiplyAdd(distance, distance, TSimd.Subtract(zero, square));
        TVector exponent = TSimd.Multiply(square, TSimd.Broadcast(Factor));
        TVector rest = TSimd.MultiplyAdd(square, TSimd.Broadcast(Factor), TSimd.Subtract(zero, exponent));
        rest = TSimd.MultiplyAdd(square, TSimd.Broadcast(FactorRest), rest);
        rest = TSimd.MultiplyAdd(squareRest, TSimd.Broadcast(Factor), rest);
        TVector power = Exponential.PowerOfTwo<TSimd, TVector>(exponent);
        return TSimd.MultiplyAdd(TSimd.Multiply(power, rest), TSimd.Broadcast(0.6931472f), power);
    }

    // x / (1 + 2^(factor x)); the exponent is held where the power is finite, and the quotient is then as good as zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Swish<TSimd, TVector>(TVector x, float factor)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector exponent = TSimd.Multiply(x, TSimd.Broadcast(factor));
        exponent = TSimd.SelectLess(TSimd.Broadcast(LargestExponent), exponent, TSimd.Broadcast(LargestExponent), exponent);
        return TSimd.Divide(x, TSimd.Add(TSimd.Broadcast(1f), Exponential.PowerOfTwo<TSimd, TVector>(exponent)));
    }
}

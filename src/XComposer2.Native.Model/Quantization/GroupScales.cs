using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Chooses the scale of a group of weights. 8-bit integers: the largest magnitude, or the range, over all steps. 4-bit integers: of some ranges, smaller and larger
/// than the weights' own, each with the scale of least squares for its integers, the one with the least squared error. Sums are of eight lanes
/// whatever the processor's vectors, so that the bits are the same everywhere.
/// </summary>
internal static class GroupScales
{
    // Adding it leaves a number of less than 2^22 as an integer in the low bits of the sum, rounded to nearest even.
    private const float RoundingShift = 3 << 22;

    private const int Lanes = 8;

    // What the largest magnitude becomes, in steps: -8 is the last there is, beyond it large weights are cut off for a finer step.
    private static readonly float[] largestSteps = [7f, 7.5f, 8f, 8.5f, 9f, 9.5f, 10f, 11f, 12f];

    private static readonly float[] rangeParts = [1f, 0.95f, 0.9f, 0.85f, 0.8f, 0.7f];

    /// <param name="group">Finite numbers.</param>
    /// <param name="format">Of groups.</param>
    /// <param name="shares">What the squared error of each counts; empty where all count the same. 8-bit integers do not look at it.</param>
    /// <returns>The scale, a number that F16 has, infinite where F16 has none; and the integer that stands for zero.</returns>
    public static (float Scale, int Zero) Choose(ReadOnlySpan<float> group, WeightFormat format, ReadOnlySpan<float> shares = default)
    {
        float least = 0, most = 0;
        foreach (float weight in group)
        {
            least = MathF.Min(least, weight);
            most = MathF.Max(most, weight);
        }

        bool isWide = format.Elements.ElementBits() == 8;
        return format.HasZeroPoints
            ? isWide ? OfRange(least, most, 255) : SearchRange(group, shares, least, most)
            : isWide ? ((float)(Half)(MathF.Max(most, -least) / 127), 0) : (SearchSigned(group, shares, least, most), 0);
    }

    /// <summary>The nearest step of each weight, less the zero point.</summary>
    public static void Round(ReadOnlySpan<float> group, float scale, int zero, WeightFormat format, Span<short> steps)
    {
        int bits = format.Elements.ElementBits();
        int least = format.HasZeroPoints ? -zero : bits == 8 ? -127 : -8, most = format.HasZeroPoints ? (1 << bits) - 1 - zero : (1 << (bits - 1)) - 1;
        for (int i = 0; i < group.Length; i++)
            steps[i] = scale == 0 ? (short)0 : (short)Math.Clamp(MathF.Round(Math.Clamp(group[i] / scale, -1024, 1024), MidpointRounding.ToEven), least, most);
    }

    // A scale may be negative: the largest magnitude is then positive, and -8 stands for it.
    private static float SearchSigned(ReadOnlySpan<float> group, ReadOnlySpan<float> shares, float least, float most)
    {
        float largest = -least > most ? least : most;
        if (largest == 0)
            return 0;
        float scale = 0, gain = -1;
        foreach (float steps in largestSteps)
            Try(group, shares, -steps / largest, -8, 7, ref scale, ref gain);
        return Stored(scale);
    }

    private static (float Scale, int Zero) SearchRange(ReadOnlySpan<float> group, ReadOnlySpan<float> shares, float least, float most)
    {
        if (least == most)
            return (0, 0);
        float scale = 0, gain = -1;
        int zero = 0;
        foreach (float part in rangeParts)
        {
            float step = (most - least) * part / 15, before = gain;
            int candidate = (int)Math.Clamp(MathF.Round(-least * part / step, MidpointRounding.ToEven), 0, 15);
            Try(group, shares, 1 / step, -candidate, 15 - candidate, ref scale, ref gain);
            if (gain != before)
                zero = candidate;
        }

        return (Stored(scale), zero);
    }

    private static (float Scale, int Zero) OfRange(float least, float most, int steps)
    {
        float scale = Stored((most - least) / steps);
        return (scale, scale > 0 && float.IsFinite(scale) ? (int)Math.Clamp(MathF.Round(-least / scale, MidpointRounding.ToEven), 0, steps) : 0);
    }

    // With integers l and shares h, the best scale is s = sum(h w l) / sum(h l l), and the squared error sum(h w w) - sum(h w l) s: the gain is what is to be large.
    private static void Try(ReadOnlySpan<float> group, ReadOnlySpan<float> shares, float inverse, int least, int most, ref float scale, ref float gain)
    {
        if (!float.IsFinite(inverse))
            return;
        Vector256<float> products = Vector256<float>.Zero, squares = products;
        int i = 0;
        for (; i <= group.Length - Lanes; i += Lanes)
            Add(Vector256.Create(group.Slice(i, Lanes)), shares.IsEmpty ? Vector256<float>.One : Vector256.Create(shares.Slice(i, Lanes)), inverse, least, most, ref products, ref squares);
        if (i < group.Length)
        {
            Span<float> last = stackalloc float[Lanes], share = stackalloc float[Lanes];
            last.Clear();
            group[i..].CopyTo(last);
            share.Fill(1);
            if (!shares.IsEmpty)
                shares[i..].CopyTo(share);
            Add(Vector256.Create<float>(last), Vector256.Create<float>(share), inverse, least, most, ref products, ref squares);
        }

        float product = Sum(products), square = Sum(squares);
        if (square == 0)
            return;
        float found = product / square * product;
        if (!(found > gain))
            return;
        gain = found;
        scale = product / square;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(Vector256<float> weights, Vector256<float> shares, float inverse, int least, int most, ref Vector256<float> products, ref Vector256<float> squares)
    {
        Vector256<float> shift = Vector256.Create(RoundingShift);
        Vector256<float> steps = Vector256.Min(Vector256.Max(weights * Vector256.Create(inverse), Vector256.Create((float)least)), Vector256.Create((float)most));
        steps = steps + shift - shift;
        products += shares * (weights * steps);
        squares += shares * (steps * steps);
    }

    private static float Sum(Vector256<float> lanes)
    {
        float sum = 0;
        for (int i = 0; i < Lanes; i++)
            sum += lanes[i];
        return sum;
    }

    private static float Stored(float scale) => (float)(Half)scale;
}

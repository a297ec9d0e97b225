using System.Numerics;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// Features of a picture in 256 bytes. A projection on fixed random signs preserves angles (Johnson and Lindenstrauss): a cosine of 0.99
/// between the features of two pictures is preserved to about 0.002, whatever the width of the model.
/// </summary>
internal static class CompactFeatures
{
    /// <summary>Bytes per picture.</summary>
    public const int Length = 256;

    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;

    /// <summary>Projects features.</summary>
    /// <param name="features">Any number of values.</param>
    /// <returns>[Length]; all zeros if the features are zero or not finite.</returns>
    public static sbyte[] From(ReadOnlySpan<float> features)
    {
        float[] projected = new float[Length];
        for (int index = 0; index < features.Length; index++)
            for (int word = 0; word < Length / 64; word++)
                AddSigned(projected.AsSpan(word * 64, 64), features[index], Signs(((ulong)index * (Length / 64)) + (ulong)word));
        float largest = 0;
        foreach (float value in projected)
            largest = float.IsFinite(value) ? Math.Max(largest, Math.Abs(value)) : float.NaN;
        sbyte[] compact = new sbyte[Length];
        if (largest > 0)
            for (int index = 0; index < Length; index++)
                compact[index] = (sbyte)MathF.Round(projected[index] * (127 / largest));
        return compact;
    }

    /// <summary>Converts to floats and normalises to unit length.</summary>
    /// <param name="compact">[Length].</param>
    /// <param name="unit">[Length], written completely; all zeros if <paramref name="compact"/> is.</param>
    public static void Widen(ReadOnlySpan<sbyte> compact, Span<float> unit)
    {
        long squares = 0;
        foreach (sbyte value in compact)
            squares += value * value;
        float scale = squares == 0 ? 0 : 1 / MathF.Sqrt(squares);
        for (int index = 0; index < Length; index++)
            unit[index] = compact[index] * scale;
    }

    /// <summary>Cosine of two unit vectors [Length].</summary>
    public static float Cosine(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        ReadOnlySpan<Vector<float>> left = MemoryMarshal.Cast<float, Vector<float>>(first);
        ReadOnlySpan<Vector<float>> right = MemoryMarshal.Cast<float, Vector<float>>(second);
        Vector<float> sum = Vector<float>.Zero;
        for (int index = 0; index < left.Length; index++)
            sum += left[index] * right[index];
        return Vector.Sum(sum);
    }

    private static void AddSigned(Span<float> target, float value, ulong signs)
    {
        for (int bit = 0; bit < target.Length; bit++)
            target[bit] += (signs >> bit & 1) == 0 ? value : -value;
    }

    // SplitMix64 of a counter: the signs are the same on every machine and need no table.
    private static ulong Signs(ulong counter)
    {
        ulong mixed = (counter + 1) * GoldenGamma;
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
        return mixed ^ mixed >> 31;
    }
}

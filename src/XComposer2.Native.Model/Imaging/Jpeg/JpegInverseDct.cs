using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>
/// Inverse DCT of an 8 x 8 block, bit-identical to the accurate integer transform of libjpeg-turbo (Loeffler, Ligtenberg and Moschytz;
/// 13 fraction bits), including the overflow of its 16-bit lanes on damaged coefficients.
/// </summary>
internal static class JpegInverseDct
{
    private const int FractionBits = 13;
    private const int FirstPassShift = FractionBits - 2;
    private const int SecondPassShift = FractionBits + 5;
    private const int C0298 = 2446, C0390 = 3196, C0541 = 4433, C0765 = 6270, C0899 = 7373, C1175 = 9633;
    private const int C1501 = 12299, C1847 = 15137, C1961 = 16069, C2053 = 16819, C2562 = 20995, C3072 = 25172;

    /// <summary>Block position of each coefficient in zigzag order.</summary>
    public static ReadOnlySpan<byte> ZigZag =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    /// <param name="block">64 decoded coefficients in row order.</param>
    /// <param name="quantisers">64 factors in row order.</param>
    /// <param name="target">[8, stride], starting at the upper left sample.</param>
    /// <param name="stride">Distance between rows in bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ReadOnlySpan<short> block, ReadOnlySpan<short> quantisers, Span<byte> target, int stride)
    {
        Span<short> middle = stackalloc short[64];
        block = block[..64];
        quantisers = quantisers[..64];
        if (block[8..].IndexOfAnyExcept((short)0) < 0)
        {
            for (int column = 0; column < 8; column++)
            {
                short value = (short)((short)(block[column] * quantisers[column]) << 2);
                for (int row = 0; row < 8; row++) middle[8 * row + column] = value;
            }
        }
        else
        {
            Span<short> lane = stackalloc short[8];
            for (int column = 0; column < 8; column++)
            {
                for (int row = 0; row < 8; row++) lane[row] = (short)(block[8 * row + column] * quantisers[8 * row + column]);
                Lane(lane, FirstPassShift);
                for (int row = 0; row < 8; row++) middle[8 * row + column] = lane[row];
            }
        }
        for (int row = 0; row < 8; row++)
        {
            Span<short> lane = middle.Slice(8 * row, 8);
            Span<byte> samples = target.Slice(row * stride, 8);
            Lane(lane, SecondPassShift);
            for (int column = 0; column < 8; column++) samples[column] = (byte)(Math.Clamp((int)lane[column], -128, 127) + 128);
        }
    }

    /// <summary>One-dimensional transform, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lane(Span<short> lane, int shift)
    {
        int in1 = lane[1], in2 = lane[2], in3 = lane[3], in5 = lane[5], in6 = lane[6], in7 = lane[7];
        int even3 = in2 * (C0541 + C0765) + in6 * C0541;
        int even2 = in2 * C0541 + in6 * (C0541 - C1847);
        int even0 = (short)(lane[0] + lane[4]) << FractionBits;
        int even1 = (short)(lane[0] - lane[4]) << FractionBits;
        int rounding = 1 << (shift - 1);
        int sum0 = even0 + even3 + rounding, sum3 = even0 - even3 + rounding;
        int sum1 = even1 + even2 + rounding, sum2 = even1 - even2 + rounding;

        int z3 = (short)(in7 + in3), z4 = (short)(in5 + in1);
        int shared3 = z3 * (C1175 - C1961) + z4 * C1175;
        int shared4 = z3 * C1175 + z4 * (C1175 - C0390);
        int odd0 = in7 * (C0298 - C0899) - in1 * C0899 + shared3;
        int odd1 = in5 * (C2053 - C2562) - in3 * C2562 + shared4;
        int odd2 = in3 * (C3072 - C2562) - in5 * C2562 + shared3;
        int odd3 = in1 * (C1501 - C0899) - in7 * C0899 + shared4;
        lane[0] = Saturate((sum0 + odd3) >> shift);
        lane[7] = Saturate((sum0 - odd3) >> shift);
        lane[1] = Saturate((sum1 + odd2) >> shift);
        lane[6] = Saturate((sum1 - odd2) >> shift);
        lane[2] = Saturate((sum2 + odd1) >> shift);
        lane[5] = Saturate((sum2 - odd1) >> shift);
        lane[3] = Saturate((sum3 + odd0) >> shift);
        lane[4] = Saturate((sum3 - odd0) >> shift);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static short Saturate(int value) => (short)Math.Clamp(value, short.MinValue, short.MaxValue);
}

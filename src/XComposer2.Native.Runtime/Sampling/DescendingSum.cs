namespace XComposer2.Native.Runtime;

/// <summary>
/// Sums amounts in the order of their values, largest value first, without sorting: values fall into bins by their bits, eleven at a
/// time. Linear time whatever the values; allocates nothing after construction.
/// </summary>
internal sealed class DescendingSum
{
    private const int DigitBits = 11, Digits = 1 << DigitBits;

    private readonly double[] bins = new double[Digits];

    /// <summary>The value at which the sum reaches <paramref name="wanted"/>; the smallest value where it never does.</summary>
    /// <param name="values">At least one; no NaN. Both zeros are the same.</param>
    /// <param name="amounts">One for each value, not negative; empty for 1 each.</param>
    /// <param name="wanted">Over zero.</param>
    /// <param name="above">Sum of the amounts of all larger values.</param>
    public float Reach(ReadOnlySpan<float> values, ReadOnlySpan<float> amounts, double wanted, out double above)
    {
        above = 0;
        uint prefix = 0, settled = 0;
        for (int shift = 32 - DigitBits; ; shift -= DigitBits)
        {
            // The last digit takes the ten bits that are left.
            int low = Math.Max(shift, 0);
            uint digit = (1u << (DigitBits + shift - low)) - 1;
            Fill(values, amounts, prefix, settled, low, digit);
            prefix |= Descend(wanted, ref above) << low;
            settled |= digit << low;
            if (low == 0)
                return Value(prefix);
        }
    }

    private void Fill(ReadOnlySpan<float> values, ReadOnlySpan<float> amounts, uint prefix, uint settled, int low, uint digit)
    {
        // An empty bin is negative: a bin of values without amounts is not empty.
        Array.Fill(bins, -1);
        for (int i = 0; i < values.Length; i++)
        {
            uint key = Key(values[i]);
            if ((key & settled) != prefix)
                continue;
            ref double bin = ref bins[(key >> low) & digit];
            bin = Math.Max(bin, 0) + (amounts.IsEmpty ? 1 : amounts[i]);
        }
    }

    private uint Descend(double wanted, ref double above)
    {
        int found = -1;
        double reached = above;
        for (int bin = Digits - 1; bin >= 0; bin--)
        {
            if (bins[bin] < 0)
                continue;
            found = bin;
            above = reached;
            reached += bins[bin];
            if (reached >= wanted)
                break;
        }
        return (uint)found;
    }

    /// <summary>Unsigned numbers in the order of the values.</summary>
    private static uint Key(float value)
    {
        // Adding zero makes -0 into +0.
        uint bits = BitConverter.SingleToUInt32Bits(value + 0f);
        return bits ^ ((uint)((int)bits >> 31) | 0x80000000);
    }

    private static float Value(uint key) => BitConverter.UInt32BitsToSingle(key ^ ((uint)~((int)key >> 31) | 0x80000000));
}

namespace XComposer2.Demo.World;

/// <summary>Random numbers by SplitMix64: the same ones for a key on every machine. Not thread-safe; each sample has its own.</summary>
/// <param name="key">Decides all numbers.</param>
public sealed class SeededRandom(ulong key)
{
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15, NameBasis = 0xCBF2_9CE4_8422_2325, NamePrime = 0x100_0000_01B3;

    private ulong state = key;

    /// <summary>The numbers of one sample: independent for different names, seeds and numbers.</summary>
    public static SeededRandom For(string name, ulong seed, long number)
    {
        ArgumentNullException.ThrowIfNull(name);
        ulong hash = NameBasis;
        foreach (char letter in name)
            hash = unchecked((hash ^ letter) * NamePrime);
        return new SeededRandom(Mix(unchecked(Mix(unchecked(Mix(hash) ^ seed) + GoldenRatio) ^ (ulong)number)));
    }

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        state = unchecked(state + GoldenRatio);
        return Mix(state);
    }

    /// <summary>0 to <paramref name="count"/> - 1, equally likely.</summary>
    public int Below(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (int)Math.BigMul(NextBits(), (ulong)count, out _);
    }

    /// <summary>0 to 1, without 1.</summary>
    public double Fraction() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with this probability.</summary>
    public bool Chance(double probability) => Fraction() < probability;

    /// <summary>Uniform between two values.</summary>
    public double Between(double least, double most) => least + ((most - least) * Fraction());

    /// <summary>One of several, equally likely.</summary>
    public T Pick<T>(params ReadOnlySpan<T> values) => values[Below(values.Length)];

    /// <summary>Different numbers from 0 to <paramref name="below"/> - 1, in random order.</summary>
    public int[] Distinct(int count, int below)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, below);
        int[] all = new int[below];
        for (int i = 0; i < below; i++)
            all[i] = i;
        for (int i = 0; i < count; i++)
        {
            int other = i + Below(below - i);
            (all[i], all[other]) = (all[other], all[i]);
        }

        return all[..count];
    }

    /// <summary>Puts the values into a random order.</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int other = Below(i + 1);
            (values[i], values[other]) = (values[other], values[i]);
        }
    }

    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
            value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
            return value ^ (value >> 31);
        }
    }
}

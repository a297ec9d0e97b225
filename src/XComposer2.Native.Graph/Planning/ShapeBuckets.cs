using System.Collections.Immutable;
using System.Numerics;

namespace XComposer2.Native.Graph;

/// <summary>Plan capacities: 1, 2, 4, ... and the maximum. An executor keeps one plan per bucket and runs any count with the next larger one, so
/// that plans are few and at most twice too large.</summary>
public sealed class ShapeBuckets
{
    /// <param name="maximum">Largest count, at least 1: the context length for tokens.</param>
    public ShapeBuckets(int maximum)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximum);
        Maximum = maximum;
        var sizes = ImmutableArray.CreateBuilder<int>();
        for (long size = 1; size < maximum; size *= 2)
            sizes.Add((int)size);
        sizes.Add(maximum);
        Sizes = sizes.DrainToImmutable();
    }

    public int Maximum { get; }

    /// <summary>Ascending; the last one is <see cref="Maximum"/>.</summary>
    public ImmutableArray<int> Sizes { get; }

    /// <summary>The smallest bucket of at least this count.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is below 1 or above the maximum.</exception>
    public int RoundUp(int count)
    {
        if (count < 1 || count > Maximum)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"expected a count of 1 to {Maximum}");
        return PowerOfTwo(count, Maximum);
    }

    /// <summary>Capacity of the plan for these counts: tokens rounded up to their bucket, logits and images to a power of two, logits at most tokens; 0 stays 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The token count exceeds the maximum, or a count is negative.</exception>
    public RowCounts CapacityFor(RowCounts counts)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(counts.Tokens);
        ArgumentOutOfRangeException.ThrowIfNegative(counts.Logits);
        ArgumentOutOfRangeException.ThrowIfNegative(counts.Images);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(counts.Logits, counts.Tokens);
        int tokens = counts.Tokens == 0 ? 0 : RoundUp(counts.Tokens);
        return new RowCounts(tokens, PowerOfTwo(counts.Logits, tokens), PowerOfTwo(counts.Images, int.MaxValue));
    }

    private static int PowerOfTwo(int count, int maximum) => (int)Math.Min(BitOperations.RoundUpToPowerOf2((ulong)count), (ulong)maximum);
}

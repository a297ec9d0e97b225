using System.Collections.Immutable;
using System.Numerics;

namespace XComposer2.Native.Graph;

/// <summary>Capacities worth a plan: 1, 2, 4, ... and the maximum. An executor keeps one plan per bucket and runs any count with the next larger one,
/// so that a plan is at most twice too large and there are few of them.</summary>
public sealed class ShapeBuckets
{
    /// <param name="maximum">Largest count, 1 or more: the context limit for tokens.</param>
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

    /// <summary>Ascending, the last is <see cref="Maximum"/>.</summary>
    public ImmutableArray<int> Sizes { get; }

    /// <summary>The smallest bucket that holds this count.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is below 1 or above the maximum.</exception>
    public int RoundUp(int count)
    {
        if (count < 1 || count > Maximum)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"expected a count of 1 to {Maximum}");
        return PowerOfTwo(count, Maximum);
    }

    /// <summary>Capacity of the plan for a run with these counts: tokens in their bucket, logits and images as the next power of two, never more logits than tokens; 0 stays 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Tokens are above the maximum, or a count is negative.</exception>
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

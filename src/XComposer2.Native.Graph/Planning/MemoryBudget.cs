using System.Collections.Immutable;
using System.Globalization;

namespace XComposer2.Native.Graph;

/// <summary>The planned memory use of a model by item, known before any allocation.</summary>
public sealed record MemoryBudget(ImmutableArray<MemoryItem> Items)
{
    /// <exception cref="OverflowException">The sum exceeds 63 bits.</exception>
    public long TotalBytes
    {
        get
        {
            long total = 0;
            foreach (MemoryItem item in Items)
                total = checked(total + item.Bytes);
            return total;
        }
    }

    /// <summary>Remaining bytes of the available memory; negative if it is too small.</summary>
    public long RemainingBytes(long availableBytes) => checked(availableBytes - TotalBytes);
}

/// <summary>One line of a memory budget.</summary>
public sealed record MemoryItem(string Name, long Bytes)
{
    /// <summary>Cache pages for this context length.</summary>
    public static MemoryItem KeyValueCache(AttentionGeometry geometry, int layers, long tokens, CacheFormat format) => new(
        string.Create(CultureInfo.InvariantCulture, $"KV cache, {tokens} tokens in {KeyValuePages.Count(tokens)} pages of {KeyValuePages.TokensPerPage}, {format}"),
        KeyValuePages.Bytes(geometry, layers, tokens, format));

    /// <summary>The arena. Plans run one after another and share it, so its size is that of the largest plan, including scratch.</summary>
    /// <exception cref="ArgumentException">The list is empty.</exception>
    public static MemoryItem Arena(params ReadOnlySpan<ExecutionPlan> plans)
    {
        if (plans.IsEmpty)
            throw new ArgumentException("expected at least one plan, found none", nameof(plans));
        ExecutionPlan largest = plans[0];
        foreach (ExecutionPlan plan in plans)
            if (plan.ArenaBytes > largest.ArenaBytes)
                largest = plan;
        return new MemoryItem($"arena, largest for {largest.Graph.Name}", largest.ArenaBytes);
    }
}

/// <summary>Sizes of the paged key/value cache. Only the sum over all layers matters here, not whether a page holds one layer or all.</summary>
public static class KeyValuePages
{
    public const int TokensPerPage = 64;

    /// <summary>Number of pages for this many tokens.</summary>
    public static long Count(long tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        return (tokens / TokensPerPage) + (tokens % TokensPerPage == 0 ? 0 : 1);
    }

    /// <summary>Size of the keys and values of all layers for this many tokens, in whole pages.</summary>
    /// <exception cref="OverflowException">The size exceeds 63 bits.</exception>
    public static long Bytes(AttentionGeometry geometry, int layers, long tokens, CacheFormat format)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layers);
        long bytesPerToken = checked(2L * geometry.KeyValueHeads * format.HeadBytes(geometry.HeadSize) * layers);
        return checked(Count(tokens) * TokensPerPage * bytesPerToken);
    }
}

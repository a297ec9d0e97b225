using System.Collections.Immutable;
using System.Globalization;

namespace XComposer2.Native.Graph;

/// <summary>What a model will take, item by item, known before anything is allocated.</summary>
public sealed record MemoryBudget(ImmutableArray<MemoryItem> Items)
{
    /// <exception cref="OverflowException">Beyond 63 bits.</exception>
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

    /// <summary>What is left of a memory of this size; negative where it is too small.</summary>
    public long RemainingBytes(long availableBytes) => checked(availableBytes - TotalBytes);
}

/// <summary>One line of a memory budget.</summary>
public readonly record struct MemoryItem(string Name, long Bytes)
{
    /// <summary>Cache pages for a context of this many tokens.</summary>
    public static MemoryItem KeyValueCache(AttentionGeometry geometry, int layers, long tokens, CacheFormat format) => new(
        string.Create(CultureInfo.InvariantCulture, $"KV cache, {tokens} tokens in {KeyValuePages.Count(tokens)} pages of {KeyValuePages.TokensPerPage}, {format}"),
        KeyValuePages.Bytes(geometry, layers, tokens, format));

    /// <summary>The one arena: plans that run one after another share it, so the largest counts, scratch included.</summary>
    /// <exception cref="ArgumentException">There is no plan.</exception>
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

/// <summary>Arithmetic of the paged key/value cache. A page holds the keys and values of one layer or of all, for this many tokens; only the sum matters here.</summary>
public static class KeyValuePages
{
    public const int TokensPerPage = 64;

    /// <summary>Pages for this many tokens.</summary>
    public static long Count(long tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        return (tokens / TokensPerPage) + (tokens % TokensPerPage == 0 ? 0 : 1);
    }

    /// <summary>Keys and values of all layers for this many tokens, whole pages.</summary>
    /// <exception cref="OverflowException">Beyond 63 bits.</exception>
    public static long Bytes(AttentionGeometry geometry, int layers, long tokens, CacheFormat format)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layers);
        long bytesPerToken = checked(2L * geometry.KeyValueHeads * format.HeadBytes(geometry.HeadSize) * layers);
        return checked(Count(tokens) * TokensPerPage * bytesPerToken);
    }
}

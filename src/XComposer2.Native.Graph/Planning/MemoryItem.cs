using System.Globalization;

namespace XComposer2.Native.Graph;

/// <summary>One line of a memory budget.</summary>
public readonly record struct MemoryItem(string Name, long Bytes)
{
    /// <summary>Cache pages for a context of this many tokens.</summary>
    public static MemoryItem KeyValueCache(AttentionGeometry geometry, int layers, long tokens, DType type) => new(
        string.Create(CultureInfo.InvariantCulture, $"KV cache, {tokens} tokens in {KeyValuePages.Count(tokens)} pages of {KeyValuePages.TokensPerPage}, {type}"),
        KeyValuePages.Bytes(geometry, layers, tokens, type));

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

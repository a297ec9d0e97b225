using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Sequences of requests that have ended, for those that begin alike: the least recently used one gives its pages first. Owns the sequences. Not thread-safe.</summary>
/// <param name="pool">The cache.</param>
/// <param name="maximumPages">Pages that are kept; the last used sequence is kept even where it has more.</param>
internal sealed class PrefixCache(KeyValuePool pool, int maximumPages) : IDisposable
{
    private readonly LinkedList<CachedSequence> byUse = [];
    private readonly int[] owners = new int[pool.PageCount];

    /// <summary>Positions of each, the last used first.</summary>
    public IReadOnlyList<int> Lengths => [.. byUse.Select(kept => kept.Length)];

    /// <summary>Takes a sequence over. Those that it begins with say nothing more, and go.</summary>
    public void Retain(CachedSequence ended)
    {
        ended.Truncate(ended.Length);
        if (ended.Length == 0)
        {
            ended.Dispose();
            return;
        }

        for (LinkedListNode<CachedSequence>? node = byUse.First; node is not null;)
        {
            LinkedListNode<CachedSequence>? next = node.Next;
            CachedSequence kept = node.Value;
            int common = kept.CommonPrefix(ended.Positions);
            if (common == ended.Length)
            {
                // It is known already, and perhaps more.
                Touch(kept);
                ended.Dispose();
                return;
            }

            if (common == kept.Length)
                Drop(node);
            node = next;
        }

        byUse.AddFirst(ended);
        while (byUse.Count > 1 && byUse.Sum(kept => kept.Pages.Pages.Length) > maximumPages)
            Drop(byUse.Last!);
    }

    /// <summary>The sequence that has most of a prompt's first positions in common with it; null where none has any.</summary>
    public CachedSequence? Longest(ReadOnlySpan<PromptPosition> prompt, out int length)
    {
        CachedSequence? longest = null;
        length = 0;
        foreach (CachedSequence kept in byUse)
        {
            int common = kept.CommonPrefix(prompt);
            if (common <= length)
                continue;
            length = common;
            longest = kept;
        }

        return longest;
    }

    /// <summary>Counts as a use.</summary>
    public void Touch(CachedSequence kept)
    {
        byUse.Remove(kept);
        byUse.AddFirst(kept);
    }

    /// <summary>Gives a sequence away: its pages are the caller's.</summary>
    public void Release(CachedSequence kept) => byUse.Remove(kept);

    /// <summary>Gives a sequence back that was released.</summary>
    public void Restore(CachedSequence kept) => byUse.AddFirst(kept);

    /// <summary>Pages that are free, or would be if nothing were retained.</summary>
    public int AvailablePages()
    {
        foreach (CachedSequence kept in byUse)
            foreach (int page in kept.Pages.Pages)
                owners[page]++;
        int available = pool.FreePages;
        foreach (CachedSequence kept in byUse)
            foreach (int page in kept.Pages.Pages)
            {
                if (owners[page] > 0 && owners[page] == pool.OwnersOf(page))
                    available++;
                owners[page] = 0;
            }

        return available;
    }

    /// <summary>Frees pages until there are so many, as far as there are retained ones.</summary>
    /// <returns>False where there are too few still.</returns>
    public bool Free(int pages)
    {
        while (pool.FreePages < pages && byUse.Last is { } oldest)
            Drop(oldest);
        return pool.FreePages >= pages;
    }

    /// <summary>Gives all pages back.</summary>
    public void Clear()
    {
        while (byUse.Last is { } oldest)
            Drop(oldest);
    }

    public void Dispose() => Clear();

    private void Drop(LinkedListNode<CachedSequence> node)
    {
        byUse.Remove(node);
        node.Value.Dispose();
    }
}

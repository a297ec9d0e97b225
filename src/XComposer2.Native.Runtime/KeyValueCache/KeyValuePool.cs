using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Owner counts of the pages of a cache. A page with several owners is read-only: whoever wants to write takes a copy. Not thread-safe.</summary>
public sealed class KeyValuePool
{
    private readonly IKeyValueMemory memory;
    private readonly int[] owners;

    // Those with memory; the last is taken next. A page that was used before is taken before one that never was, so that memory grows with use.
    private readonly List<int> free = [];
    private int ready;

    /// <param name="memory">Not owned.</param>
    public KeyValuePool(IKeyValueMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        this.memory = memory;
        owners = new int[memory.PageCount];
        PageCount = memory.PageCount;
        AddReady();
    }

    /// <summary>Maximum number of pages; it drops when the device runs out of memory.</summary>
    public int PageCount { get; private set; }

    /// <summary>Free pages, including those without memory yet.</summary>
    public int FreePages => free.Count + PageCount - ready;

    /// <summary>Allocates memory for free pages. If the device runs out of memory, the cache keeps its current size.</summary>
    /// <param name="pages">Number of free pages with memory; at most <see cref="FreePages"/>.</param>
    /// <returns>False if there are fewer; <see cref="PageCount"/> and <see cref="FreePages"/> are updated.</returns>
    public bool Prepare(int pages)
    {
        if (pages <= free.Count)
            return true;
        bool isGrown = memory.Grow(ready + pages - free.Count);
        AddReady();
        if (!isGrown)
            PageCount = ready;
        return isGrown;
    }

    /// <summary>Sequences that have this page.</summary>
    public int OwnersOf(int page) => owners[page];

    internal int Take()
    {
        if (free.Count == 0 && !Prepare(1))
            throw new KeyValueCacheFullException(1, 0, PageCount);
        int page = free[^1];
        free.RemoveAt(free.Count - 1);
        owners[page] = 1;
        return page;
    }

    internal void AddOwner(int page) => owners[page]++;

    internal void Release(int page)
    {
        if (owners[page] <= 0)
            throw new InvalidOperationException($"page {page} of the key/value cache is released more often than it was taken");
        if (--owners[page] == 0)
            free.Add(page);
    }

    /// <summary>A page of one's own with the same contents; the shared one loses an owner.</summary>
    internal int CopyShared(int page)
    {
        int copy = Take();
        memory.Copy(page, copy);
        Release(page);
        return copy;
    }

    private void AddReady()
    {
        int more = memory.ReadyPages - ready;
        ready = memory.ReadyPages;
        if (more == 0)
            return;
        // Before those that were free already, the lowest last.
        var added = new int[more];
        for (int i = 0; i < more; i++)
            added[i] = ready - 1 - i;
        free.InsertRange(0, added);
    }
}

/// <summary>What one page of the cache holds: keys and values of all layers for 64 tokens.</summary>
/// <param name="Layers">Decoder layers.</param>
/// <param name="Geometry">Heads.</param>
/// <param name="Format">How keys and values are stored.</param>
public readonly record struct KeyValueLayout(int Layers, AttentionGeometry Geometry, CacheFormat Format)
{
    public long PageBytes => KeyValuePages.Bytes(Geometry, Layers, KeyValuePages.TokensPerPage, Format);
}

/// <summary>Device memory of a cache's pages. Knows nothing of who owns which.</summary>
public interface IKeyValueMemory : IDisposable
{
    KeyValueLayout Layout { get; }

    /// <summary>Pages that it can grow to.</summary>
    int PageCount { get; }

    /// <summary>The first pages, which have memory.</summary>
    int ReadyPages { get; }

    /// <summary>Gives the first pages memory, as many as are wanted at least.</summary>
    /// <returns>False where the device has too little memory; <see cref="ReadyPages"/> says how far it grew.</returns>
    bool Grow(int pages);

    /// <summary>Copies the contents of one page to another.</summary>
    void Copy(int source, int destination);
}

/// <summary>The cache has too few free pages for what was asked; nothing has changed.</summary>
public sealed class KeyValueCacheFullException : Exception
{
    public KeyValueCacheFullException(int wanted, int free, int pages)
        : base($"the key/value cache has {free} of its {pages} pages free, {wanted} are wanted")
    {
        Wanted = wanted;
        Free = free;
    }

    public int Wanted { get; }

    public int Free { get; }
}

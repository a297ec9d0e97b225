using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Owner counts of the pages of a cache. A page with several owners is read-only: whoever wants to write takes a copy. Not thread-safe.</summary>
public sealed class KeyValuePool
{
    private readonly IKeyValueMemory memory;
    private readonly int[] owners;
    private readonly Stack<int> free;

    /// <param name="memory">Not owned.</param>
    public KeyValuePool(IKeyValueMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        this.memory = memory;
        owners = new int[memory.PageCount];
        free = new Stack<int>(memory.PageCount);
        for (int page = memory.PageCount - 1; page >= 0; page--)
            free.Push(page);
    }

    public int PageCount => owners.Length;

    public int FreePages => free.Count;

    /// <summary>Sequences that have this page.</summary>
    public int OwnersOf(int page) => owners[page];

    internal int Take()
    {
        int page = free.Pop();
        owners[page] = 1;
        return page;
    }

    internal void AddOwner(int page) => owners[page]++;

    internal void Release(int page)
    {
        if (owners[page] <= 0)
            throw new InvalidOperationException($"page {page} of the key/value cache is released more often than it was taken");
        if (--owners[page] == 0)
            free.Push(page);
    }

    /// <summary>A page of one's own with the same contents; the shared one loses an owner.</summary>
    internal int CopyShared(int page)
    {
        int copy = Take();
        memory.Copy(page, copy);
        Release(page);
        return copy;
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

    int PageCount { get; }

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

using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>The cached tokens of one sequence: a list of pages, perhaps shared with others, and a length. Not thread-safe.</summary>
public sealed unsafe class KeyValueSequence : IDisposable
{
    private const int PageTokens = KeyValuePages.TokensPerPage;

    private readonly KeyValuePool pool;
    private readonly int[] pages;
    private int pageCount;
    private bool disposed;

    /// <param name="pool">Where its pages come from.</param>
    /// <param name="maximumPages">Entries of its page table; null for as many as the pool has.</param>
    public KeyValueSequence(KeyValuePool pool, int? maximumPages = null)
    {
        ArgumentNullException.ThrowIfNull(pool);
        this.pool = pool;
        pages = GC.AllocateArray<int>(Math.Min(maximumPages ?? pool.PageCount, pool.PageCount), pinned: true);
    }

    /// <summary>Tokens whose keys and values are in the cache.</summary>
    public int Length { get; private set; }

    /// <summary>Physical pages, those reserved for coming tokens included.</summary>
    public ReadOnlySpan<int> Pages => pages.AsSpan(0, pageCount);

    /// <summary>Tokens that fit the pages this sequence has.</summary>
    public int ReservedLength => pageCount * PageTokens;

    /// <summary>Address of the page numbers; does not move.</summary>
    internal int* PageTable
    {
        get
        {
            fixed (int* first = pages)
                return first;
        }
    }

    /// <summary>Makes room for <paramref name="tokens"/> more: takes pages, and a copy of a shared page that would be written.</summary>
    /// <exception cref="KeyValueCacheFullException">There are too few free pages; nothing has changed.</exception>
    public void Reserve(int tokens)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        if (tokens == 0)
            return;
        long wantedPages = KeyValuePages.Count((long)Length + tokens);
        int wanted = PagesWanted(tokens);
        if (wanted > pool.FreePages)
            throw new KeyValueCacheFullException(wanted, pool.FreePages, pool.PageCount);
        if (wantedPages > pages.Length)
            throw new ArgumentOutOfRangeException(nameof(tokens), tokens, $"the sequence has {Length} tokens, its page table {pages.Length} entries");
        if (!pool.Prepare(wanted))
            throw new KeyValueCacheFullException(wanted, pool.FreePages, pool.PageCount);
        for (int i = Length / PageTokens; i < pageCount; i++)
            if (pool.OwnersOf(pages[i]) > 1)
                pages[i] = pool.CopyShared(pages[i]);
        while (pageCount < wantedPages)
            pages[pageCount++] = pool.Take();
    }

    /// <summary>Pages that <see cref="Reserve"/> would take from the pool.</summary>
    public int PagesWanted(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        if (tokens == 0)
            return 0;
        long wanted = Math.Max(0, KeyValuePages.Count((long)Length + tokens) - pageCount);
        for (int i = Length / PageTokens; i < pageCount; i++)
            if (pool.OwnersOf(pages[i]) > 1)
                wanted++;
        return (int)Math.Min(wanted, int.MaxValue);
    }

    /// <summary>Counts tokens that a step has written to reserved room.</summary>
    public void Advance(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, ReservedLength - Length);
        Length += tokens;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on and gives back the pages that held only them.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
        int kept = (int)KeyValuePages.Count(length);
        while (pageCount > kept)
            pool.Release(pages[--pageCount]);
    }

    /// <summary>Another sequence with the same tokens. Pages are shared until one of the two writes to them.</summary>
    public KeyValueSequence Fork() => Fork(Length);

    /// <summary>Another sequence with the first tokens of this one.</summary>
    public KeyValueSequence Fork(int length)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        var fork = new KeyValueSequence(pool, pages.Length) { Length = length, pageCount = (int)KeyValuePages.Count(length) };
        for (int i = 0; i < fork.pageCount; i++)
        {
            fork.pages[i] = pages[i];
            pool.AddOwner(pages[i]);
        }

        return fork;
    }

    public void Dispose()
    {
        if (disposed)
            return;
        Truncate(0);
        disposed = true;
    }
}

/// <summary>Rows of a step that belong to one sequence and follow its tokens in the cache.</summary>
public readonly record struct SequenceRows(KeyValueSequence Sequence, int FirstRow, int RowCount);

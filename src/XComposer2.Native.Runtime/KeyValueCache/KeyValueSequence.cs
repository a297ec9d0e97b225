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

    public KeyValueSequence(KeyValuePool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        this.pool = pool;
        pages = GC.AllocateArray<int>(pool.PageCount, pinned: true);
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
        int firstWritten = Length / PageTokens;
        long wanted = Math.Max(0, wantedPages - pageCount);
        for (int i = firstWritten; i < pageCount; i++)
            if (pool.OwnersOf(pages[i]) > 1)
                wanted++;
        if (wanted > pool.FreePages)
            throw new KeyValueCacheFullException((int)Math.Min(wanted, int.MaxValue), pool.FreePages, pool.PageCount);
        for (int i = firstWritten; i < pageCount; i++)
            if (pool.OwnersOf(pages[i]) > 1)
                pages[i] = pool.CopyShared(pages[i]);
        while (pageCount < wantedPages)
            pages[pageCount++] = pool.Take();
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
    public KeyValueSequence Fork()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var fork = new KeyValueSequence(pool) { Length = Length, pageCount = (int)KeyValuePages.Count(Length) };
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

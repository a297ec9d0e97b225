using FsCheck;
using FsCheck.Fluent;
using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class KeyValueSequenceTests
{
    private const int PageTokens = KeyValuePages.TokensPerPage;

    [Fact]
    public void Pages_are_taken_as_tokens_need_them_and_given_back()
    {
        var pool = new KeyValuePool(new FakePages(4));
        var sequence = new KeyValueSequence(pool);
        sequence.Reserve(0);
        Assert.Equal(0, sequence.Pages.Length);
        sequence.Reserve(PageTokens);
        sequence.Advance(PageTokens);
        Assert.Equal(1, sequence.Pages.Length);
        sequence.Reserve(1);
        sequence.Advance(1);
        Assert.Equal((2, PageTokens + 1, 2), (sequence.Pages.Length, sequence.Length, pool.FreePages));
        sequence.Truncate(PageTokens);
        Assert.Equal((1, 3), (sequence.Pages.Length, pool.FreePages));
        sequence.Dispose();
        sequence.Dispose();
        Assert.Equal(4, pool.FreePages);
        Assert.Throws<ObjectDisposedException>(() => sequence.Reserve(1));
    }

    [Fact]
    public void A_full_cache_refuses_and_changes_nothing()
    {
        var pool = new KeyValuePool(new FakePages(2));
        using var sequence = new KeyValueSequence(pool);
        KeyValueCacheFullException refusal = Assert.Throws<KeyValueCacheFullException>(() => sequence.Reserve((2 * PageTokens) + 1));
        Assert.Equal((3, 2), (refusal.Wanted, refusal.Free));
        Assert.Equal((0, 2), (sequence.Pages.Length, pool.FreePages));
        sequence.Reserve(2 * PageTokens);
        Assert.Throws<ArgumentOutOfRangeException>(() => sequence.Advance((2 * PageTokens) + 1));
    }

    [Fact]
    public void A_shared_page_is_copied_by_whoever_writes_first_and_only_once()
    {
        var memory = new FakePages(4);
        var pool = new KeyValuePool(memory);
        using var first = new KeyValueSequence(pool);
        first.Reserve(PageTokens + 10);
        first.Advance(PageTokens + 10);
        using KeyValueSequence second = first.Fork();
        Assert.Equal(first.Pages.ToArray(), second.Pages.ToArray());
        Assert.Equal(2, pool.FreePages);

        int shared = second.Pages[1];
        second.Reserve(1);
        second.Advance(1);
        Assert.Equal([(shared, second.Pages[1])], memory.Copies);
        Assert.Equal(first.Pages[0], second.Pages[0]);
        Assert.NotEqual(shared, second.Pages[1]);

        // The first one is the only owner again and writes in place.
        first.Reserve(1);
        Assert.Single(memory.Copies);
        Assert.Equal(shared, first.Pages[1]);
    }

    [Fact]
    public void A_fork_at_a_page_border_copies_nothing()
    {
        var memory = new FakePages(4);
        var pool = new KeyValuePool(memory);
        using var first = new KeyValueSequence(pool);
        first.Reserve(PageTokens + 1);
        first.Advance(PageTokens);
        using KeyValueSequence second = first.Fork();
        second.Reserve(1);
        first.Reserve(1);
        Assert.Empty(memory.Copies);
        Assert.NotEqual(first.Pages[1], second.Pages[1]);
    }

    [Fact]
    public void Copying_needs_a_free_page_and_refuses_without_one()
    {
        var pool = new KeyValuePool(new FakePages(1));
        using var first = new KeyValueSequence(pool);
        first.Reserve(5);
        first.Advance(5);
        using KeyValueSequence second = first.Fork();
        Assert.Throws<KeyValueCacheFullException>(() => second.Reserve(1));
        Assert.Equal(first.Pages.ToArray(), second.Pages.ToArray());
    }

    /// <summary>Random forks, appends, truncations and disposals against a model that knows what every token should be.</summary>
    [Fact]
    public void Sequences_never_see_each_others_writes()
    {
        Prop.ForAll(Gen.Choose(0, 1_000_000).ToArbitrary(), seed =>
        {
            var random = new System.Random(seed);
            var memory = new FakePages(12);
            var pool = new KeyValuePool(memory);
            var live = new List<(KeyValueSequence Sequence, List<int> Tokens)> { (new KeyValueSequence(pool), []) };
            int next = 1;
            for (int step = 0; step < 60; step++)
            {
                int index = random.Next(live.Count);
                (KeyValueSequence sequence, List<int> tokens) = live[index];
                switch (random.Next(6))
                {
                    case 0 when live.Count < 5:
                        live.Add((sequence.Fork(), [.. tokens]));
                        break;
                    case 1:
                        int length = random.Next(tokens.Count + 1);
                        sequence.Truncate(length);
                        tokens.RemoveRange(length, tokens.Count - length);
                        break;
                    case 2 when live.Count > 1:
                        sequence.Dispose();
                        live.RemoveAt(index);
                        break;
                    default:
                        Append(sequence, tokens, random.Next(1, 90));
                        break;
                }

                foreach ((KeyValueSequence other, List<int> expected) in live)
                    for (int i = 0; i < expected.Count; i++)
                        Assert.Equal(expected[i], memory.Tokens[other.Pages[i / PageTokens], i % PageTokens]);
            }

            foreach ((KeyValueSequence sequence, _) in live)
                sequence.Dispose();
            Assert.Equal(pool.PageCount, pool.FreePages);

            void Append(KeyValueSequence sequence, List<int> tokens, int count)
            {
                try
                {
                    sequence.Reserve(count);
                }
                catch (KeyValueCacheFullException)
                {
                    return;
                }

                for (int i = 0; i < count; i++)
                {
                    memory.Tokens[sequence.Pages[tokens.Count / PageTokens], tokens.Count % PageTokens] = next;
                    tokens.Add(next++);
                }

                sequence.Advance(count);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_fork_of_a_beginning_shares_its_pages_alone()
    {
        var memory = new FakePages(8);
        var pool = new KeyValuePool(memory);
        using var whole = new KeyValueSequence(pool, maximumPages: 4);
        whole.Reserve(4 * PageTokens);
        whole.Advance((3 * PageTokens) + 5);
        Assert.Throws<ArgumentOutOfRangeException>(() => whole.Reserve((2 * PageTokens) + 1));
        using KeyValueSequence even = whole.Fork(2 * PageTokens), odd = whole.Fork(PageTokens + 1);
        Assert.Equal(whole.Pages[..2].ToArray(), even.Pages.ToArray());
        Assert.Equal(whole.Pages[..2].ToArray(), odd.Pages.ToArray());
        Assert.Equal((4, 3, 3, 1), (pool.FreePages, pool.OwnersOf(whole.Pages[0]), pool.OwnersOf(whole.Pages[1]), pool.OwnersOf(whole.Pages[2])));

        // At a page's end nothing is copied; within one, the page is.
        Assert.Equal((1, 1, 0), (even.PagesWanted(1), odd.PagesWanted(1), whole.PagesWanted(1)));
        even.Reserve(1);
        Assert.Empty(memory.Copies);
        odd.Reserve(1);
        Assert.Equal((whole.Pages[1], odd.Pages[1]), Assert.Single(memory.Copies));
        Assert.Throws<ArgumentOutOfRangeException>(() => whole.Fork(whole.Length + 1));
    }

    [Fact]
    public void Pages_get_memory_with_use_and_used_ones_are_taken_first()
    {
        FakePages memory = new(8);
        var pool = new KeyValuePool(memory);
        Assert.Equal((0, 8, 8), (memory.ReadyPages, pool.PageCount, pool.FreePages));
        using KeyValueSequence first = new(pool), second = new(pool);
        first.Reserve(2 * PageTokens);
        Assert.Equal((2, 6), (memory.ReadyPages, pool.FreePages));
        first.Truncate(0);
        second.Reserve(2 * PageTokens);
        Assert.Equal([0, 1], second.Pages.ToArray().Order());
        Assert.Equal((2, 6), (memory.ReadyPages, pool.FreePages));
        second.Advance(PageTokens);
        second.Reserve(3 * PageTokens);
        Assert.Equal((4, 4), (memory.ReadyPages, pool.FreePages));
    }

    [Fact]
    public void Cache_of_a_full_device_is_as_large_as_it_is()
    {
        var pool = new KeyValuePool(new FakePages(8) { Memory = 3 });
        using KeyValueSequence sequence = new(pool);
        sequence.Reserve(2 * PageTokens);
        sequence.Advance(2 * PageTokens);
        KeyValueCacheFullException full = Assert.Throws<KeyValueCacheFullException>(() => sequence.Reserve(2 * PageTokens));
        Assert.Equal((2, 1), (full.Wanted, full.Free));
        Assert.Equal((3, 1, 2), (pool.PageCount, pool.FreePages, sequence.Pages.Length));
        sequence.Reserve(PageTokens);
        Assert.Equal(0, pool.FreePages);
    }

    /// <summary>Pages of one number per token.</summary>
    private sealed class FakePages(int pages) : IKeyValueMemory
    {
        public KeyValueLayout Layout => new(1, new AttentionGeometry(1, 1, 8), CacheFormat.F32);

        public int PageCount { get; } = pages;

        public int ReadyPages { get; private set; }

        /// <summary>Pages that the device has memory for.</summary>
        public int Memory { get; init; } = pages;

        public bool Grow(int wanted)
        {
            ReadyPages = Math.Max(ReadyPages, Math.Min(wanted, Memory));
            return wanted <= Memory;
        }

        public int[,] Tokens { get; } = new int[pages, PageTokens];

        public List<(int Source, int Destination)> Copies { get; } = [];

        public void Copy(int source, int destination)
        {
            Copies.Add((source, destination));
            for (int i = 0; i < PageTokens; i++)
                Tokens[destination, i] = Tokens[source, i];
        }

        public void Dispose()
        {
        }
    }
}

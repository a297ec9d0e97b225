using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>
/// A model whose next token is a checksum of all that its sequence's pages hold. So a token tells of every page that was lost, shared by mistake or written by another.
/// It refuses what a real one would suffer silently: writing to a shared page, reading beyond what is reserved, a picture without rows.
/// </summary>
internal sealed class FakeRunner : IStepRunner
{
    public const int Vocabulary = 997, EndMark = 5;

    /// <summary>From this seed on, answers have no end mark.</summary>
    public const ulong Endless = 1UL << 32;

    private readonly long[,] contents;
    private readonly int[] latest;
    private readonly ulong[] seeds;
    private readonly Queue<TokenChoice[]> choices = new();
    private readonly Dictionary<ImageContentHash, int> pins = [];

    /// <param name="sizes">Most of everything.</param>
    /// <param name="runsAhead">As a GPU does.</param>
    /// <param name="memoryPages">Pages that the device has memory for; null for all.</param>
    public FakeRunner(EngineSizes sizes, bool runsAhead, int? memoryPages = null)
    {
        contents = new long[sizes.CachePages, KeyValuePages.TokensPerPage];
        Pool = new KeyValuePool(new FakeMemory(contents, memoryPages ?? sizes.CachePages));
        PagesPerSequence = sizes.PagesPerSequence;
        RunsAhead = runsAhead;
        latest = new int[sizes.Sequences];
        seeds = new ulong[sizes.Sequences];
    }

    public KeyValuePool Pool { get; }

    public int PagesPerSequence { get; }

    public bool RunsAhead { get; }

    /// <summary>What was run: "read 256", "step 3", "encode".</summary>
    public List<string> Trace { get; } = [];

    /// <summary>Seeds of the answers, in the order in which they began.</summary>
    public List<ulong> Begun { get; } = [];

    /// <summary>Thrown by the next step.</summary>
    public Exception? Failure { get; set; }

    /// <summary>The row of the next step that has no usable logits.</summary>
    public int? BadRow { get; set; }

    /// <summary>Pins of all pictures together.</summary>
    public int Pins => pins.Values.Sum();

    /// <summary>The answer to a prompt that is alone: the oracle of all tests.</summary>
    public static List<int> Answer(IReadOnlyList<PromptPosition> prompt, ulong seed, int maxTokens)
    {
        List<long> contents = [.. prompt.Select(Tag)];
        var ids = new List<int>();
        while (ids.Count < maxTokens)
        {
            int id = Next(contents, seed);
            if (id == EndMark)
                break;
            ids.Add(id);
            contents.Add(Tag(PromptPosition.Text(id)));
        }

        return ids;
    }

    /// <summary>The answer to a prompt that is alone, by beam search.</summary>
    public static List<int> Search(IReadOnlyList<PromptPosition> prompt, BeamSettings settings, int maxTokens)
    {
        var search = new BeamSearch(settings, maxTokens);
        while (!search.IsDone)
            search.Advance([.. search.Running.Select(beam => Ranked([.. prompt.Select(Tag), .. BeamSearch.Ids(beam.Last).Select(static id => Tag(PromptPosition.Text(id)))], search.Ranking(beam)))]);
        return BeamSearch.Ids(search.Best.Last);
    }

    public void Begin(int slot, in SamplingRequest request)
    {
        seeds[slot] = request.Seed;
        Begun.Add(request.Seed);
    }

    public bool HasRows(PreparedPicture picture) => pins.ContainsKey(picture.Hash);

    public void Encode(PreparedPicture picture, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Trace.Add("encode");
        pins.Add(picture.Hash, 0);
    }

    public void Pin(PreparedPicture picture) => pins[picture.Hash]++;

    public void Unpin(PreparedPicture picture)
    {
        Assert.True(--pins[picture.Hash] >= 0, "unpinned more often than pinned");
        // At the mercy of others at once.
        if (pins[picture.Hash] == 0)
            pins.Remove(picture.Hash);
    }

    public void Read(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions, RowChoice? choice, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Trace.Add($"read {positions.Length}");
        for (int i = 0; i < positions.Length; i++)
        {
            if (positions[i].Picture is { } picture)
                Assert.True(pins.GetValueOrDefault(picture.Hash) > 0, "a picture has no rows");
            Write(sequence, sequence.Length + i, Tag(positions[i]));
        }

        if (choice is { } wanted)
            choices.Enqueue([Choose(sequence, sequence.Length + positions.Length, wanted)]);
    }

    public void Step(ReadOnlySpan<StepRow> rows, CancellationToken cancellation)
    {
        if (Failure is { } failure)
        {
            Failure = null;
            throw failure;
        }

        Trace.Add($"step {rows.Length}");
        var chosen = new TokenChoice[rows.Length];
        for (int row = 0; row < rows.Length; row++)
        {
            (KeyValueSequence sequence, RowChoice choice, int? id) = rows[row];
            Write(sequence, sequence.Length, Tag(PromptPosition.Text(id ?? latest[choice.Slot])));
            chosen[row] = BadRow == row ? new TokenChoice(0, "every logit is -infinity", 0, default) : Choose(sequence, sequence.Length + 1, choice);
        }

        BadRow = null;
        choices.Enqueue(chosen);
    }

    public ReadOnlySpan<TokenChoice> Take()
    {
        Assert.True(choices.Count <= ITokenSampler.MaximumPending, $"{choices.Count} choices are under way");
        return choices.Dequeue();
    }

    public void DropChoices() => choices.Clear();

    private TokenChoice Choose(KeyValueSequence sequence, int length, RowChoice choice)
    {
        var held = new List<long>(length);
        for (int position = 0; position < length; position++)
            held.Add(contents[sequence.Pages[position / KeyValuePages.TokensPerPage], position % KeyValuePages.TokensPerPage]);
        if (choice.Ranking is { } ranking)
            return Ranked(held, ranking);
        latest[choice.Slot] = Next(held, seeds[choice.Slot]);
        return new TokenChoice(latest[choice.Slot], null, 0, default);
    }

    // Likely tokens that tell of all contents; one in thirty of them is an end mark.
    private static TokenChoice Ranked(List<long> contents, TokenRanking ranking)
    {
        var top = new TokenLogProb[ranking.Count];
        for (int place = 0; place < top.Length; place++)
        {
            int id = Next(contents, (ulong)place + 1);
            float logProb = -0.1f - (id % 7 * 0.01f) - (place * 0.3f);
            top[place] = new TokenLogProb(id % 30 == 0 && !top.AsSpan(0, place).ToArray().Any(static token => token.Id == EndMark) ? EndMark : id, logProb);
        }

        return new TokenChoice(top[0].Id, null, top[0].LogProb, top);
    }

    private void Write(KeyValueSequence sequence, int position, long value)
    {
        Assert.True(position < sequence.ReservedLength, "a step beyond its reserved pages");
        int page = sequence.Pages[position / KeyValuePages.TokensPerPage];
        Assert.Equal(1, Pool.OwnersOf(page));
        contents[page, position % KeyValuePages.TokensPerPage] = value;
    }

    private static long Tag(PromptPosition position) => position.Picture is { } picture ? ((long)picture.Hash.D << 20) + position.Row + (1L << 60) : position.Id;

    // A new number for each token, one in sixty of them an end mark.
    private static int Next(List<long> contents, ulong seed)
    {
        ulong sum = 14695981039346656037 ^ seed;
        foreach (long value in contents)
            sum = (sum ^ (ulong)value) * 1099511628211;
        sum ^= sum >> 29;
        return sum % 60 == 0 && seed < Endless ? EndMark : 10 + (int)(sum / 60 % (Vocabulary - 10));
    }

    private sealed class FakeMemory(long[,] contents, int memoryPages) : IKeyValueMemory
    {
        public KeyValueLayout Layout => new(1, new AttentionGeometry(1, 1, 8), CacheFormat.F32);

        public int PageCount => contents.GetLength(0);

        public int ReadyPages { get; private set; }

        public bool Grow(int pages)
        {
            ReadyPages = Math.Max(ReadyPages, Math.Min(pages, memoryPages));
            return pages <= memoryPages;
        }

        public void Copy(int source, int destination)
        {
            for (int i = 0; i < KeyValuePages.TokensPerPage; i++)
                contents[destination, i] = contents[source, i];
        }

        public void Dispose()
        {
        }
    }
}

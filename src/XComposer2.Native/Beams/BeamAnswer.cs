using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>An answer by beam search: the search, and a sequence of the cache for each running beam. Beams share the pages of what they have in common; to reorder
/// them is to fork and to drop sequences. Not thread-safe.</summary>
/// <param name="settings">How.</param>
/// <param name="prompt">Not owned; the whole prompt when the first step is heard.</param>
/// <param name="maxTokens">Of the answer.</param>
/// <param name="slots">One for each beam.</param>
internal sealed class BeamAnswer(BeamSettings settings, CachedSequence prompt, int maxTokens, int[] slots) : IDisposable
{
    private List<CachedSequence> sequences = [];

    public BeamSearch Search { get; } = new(settings, maxTokens);

    /// <summary>Its running beams have no step that is not heard.</summary>
    public bool IsReady { get; set; }

    /// <summary>One for each running beam, once the prompt was heard.</summary>
    public IReadOnlyList<CachedSequence> Sequences => sequences;

    /// <summary>Pages that it has, each counted once, those of the prompt included.</summary>
    public int HeldPages
    {
        get
        {
            HashSet<int> pages = [.. prompt.Pages.Pages];
            foreach (CachedSequence sequence in sequences)
                pages.UnionWith(sequence.Pages.Pages.ToArray());
            return pages.Count;
        }
    }

    /// <summary>Pages that it may have at worst: a beam shares no more than whole pages of the prompt.</summary>
    public static int WorstPages(int beams, int promptTokens, int maxTokens)
    {
        long shared = promptTokens / KeyValuePages.TokensPerPage, each = KeyValuePages.Count((long)promptTokens + maxTokens - 1) - shared;
        return checked((int)(KeyValuePages.Count(promptTokens) + (beams * each)));
    }

    /// <summary>What is wanted of the logits behind a running beam.</summary>
    public RowChoice Choice(int beam) => new(slots[beam], Search.Ranking(Search.Running[beam]));

    /// <summary>The row of a running beam in the next step.</summary>
    public StepRow Row(int beam) => new(sequences[beam].Pages, Choice(beam), Search.Running[beam].Last!.Id);

    /// <summary>The step of all beams has run.</summary>
    public void KeepStep()
    {
        for (int beam = 0; beam < sequences.Count; beam++)
            sequences[beam].Keep([PromptPosition.Text(Search.Running[beam].Last!.Id)]);
        IsReady = false;
    }

    /// <summary>Makes a step of the search, and orders the sequences as the beams go on.</summary>
    public void Hear(ReadOnlySpan<TokenChoice> ranked)
    {
        Search.Advance(ranked);
        IsReady = true;
        if (Search.IsDone)
            return;
        List<CachedSequence> before = sequences.Count == 0 ? [prompt.Fork(prompt.Length)] : sequences;
        var taken = new bool[before.Count];
        sequences = new List<CachedSequence>(Search.Running.Count);
        foreach (Beam beam in Search.Running)
        {
            CachedSequence parent = before[beam.Parent];
            sequences.Add(taken[beam.Parent] ? parent.Fork(parent.Length) : parent);
            taken[beam.Parent] = true;
        }

        for (int parent = 0; parent < before.Count; parent++)
            if (!taken[parent])
                before[parent].Dispose();
    }

    /// <summary>Tells the answer, token by token. It ends before a stop text.</summary>
    public FinishReason Tell(IAnswerSink sink)
    {
        foreach (int id in BeamSearch.Ids(Search.Best.Last))
            if (sink.Take(new TokenChoice(id, null, 0, default)) is { } end)
                return end;
        return Search.IsEnded ? FinishReason.Stop : FinishReason.Length;
    }

    /// <summary>Gives away the sequence that has most of the answer; null where none has any of it. The others go.</summary>
    public CachedSequence? TakeLongest()
    {
        PromptPosition[] answer = [.. prompt.Positions, .. BeamSearch.Ids(Search.Best.Last).Select(static id => PromptPosition.Text(id))];
        CachedSequence? longest = sequences.MaxBy(sequence => sequence.CommonPrefix(answer));
        if (longest is null)
            return null;
        sequences.Remove(longest);
        longest.Truncate(longest.CommonPrefix(answer));
        return longest;
    }

    public void Dispose()
    {
        foreach (CachedSequence sequence in sequences)
            sequence.Dispose();
        sequences = [];
    }
}

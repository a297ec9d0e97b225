using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>
/// Promises pages to requests, so that those that run never want for any: what they hold and may still take is never more than what is free or retained.
/// Not thread-safe.
/// </summary>
internal sealed class PageLedger(IStepRunner runner, int retainedPages)
{
    private const int PageTokens = KeyValuePages.TokensPerPage;

    private readonly KeyValuePool pool = runner.Pool;

    /// <summary>What ended requests have computed.</summary>
    public PrefixCache Prefixes { get; } = new(runner.Pool, retainedPages);

    /// <summary>Gives a request its sequence, with the longest prefix that is known, and the pages of its prompt; false where its pages do not fit now.</summary>
    /// <param name="request">Not admitted.</param>
    /// <param name="running">All that are; their prompts are in the cache.</param>
    public bool TryAdmit(AnswerRequest request, IReadOnlyList<AnswerRequest> running)
    {
        // The last token has no step.
        int total = request.Beams is { } beams
            ? BeamAnswer.WorstPages(beams.Beams, request.Prompt.Count, request.MaxTokens)
            : (int)KeyValuePages.Count((long)request.Prompt.Count + request.MaxTokens - 1);
        int promised = running.Sum(Outstanding);
        if (Attach(request, running, total, promised) is not { } sequence)
            return false;
        request.Sequence = sequence;
        request.CachedTokens = sequence.Length;
        request.PromisedPages = total;
        return TryReserve(sequence, request.Prompt.Count - sequence.Length);
    }

    /// <summary>Takes pages for more positions; retained ones give way.</summary>
    public bool TryReserve(CachedSequence sequence, int tokens)
    {
        int wanted = sequence.Pages.PagesWanted(tokens);
        // Memory of the device first; where there is no more, that of retained pages.
        do
        {
            if (!Prefixes.Free(wanted))
                return false;
        }
        while (!pool.Prepare(wanted));
        sequence.Pages.Reserve(tokens);
        return true;
    }

    private static int Outstanding(AnswerRequest request) => Math.Max(0, request.PromisedPages - request.HeldPages);

    private CachedSequence? Attach(AnswerRequest request, IReadOnlyList<AnswerRequest> running, int total, int promised)
    {
        // The logits of the last position are wanted.
        ReadOnlySpan<PromptPosition> useful = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(request.Prompt)[..^1];
        CachedSequence? retained = Prefixes.Longest(useful, out int length);
        CachedSequence? shared = LongestOf(running, useful, out int sharedLength);
        if (shared is not null && sharedLength > length)
            return Forked(shared, sharedLength, total, promised);
        if (retained is null)
            return Fits(total, promised) ? new CachedSequence(pool, runner.PagesPerSequence) : null;
        if (length < retained.Length)
        {
            Prefixes.Touch(retained);
            if (Forked(retained, length, total, promised) is { } fork)
                return fork;
        }

        return TakenOver(retained, length, total, promised);
    }

    // Whole pages only: a running request goes on writing to its last one.
    private static CachedSequence? LongestOf(IReadOnlyList<AnswerRequest> running, ReadOnlySpan<PromptPosition> prompt, out int length)
    {
        CachedSequence? longest = null;
        length = 0;
        foreach (AnswerRequest request in running)
        {
            int common = request.Sequence!.CommonPrefix(prompt) / PageTokens * PageTokens;
            if (common <= length)
                continue;
            length = common;
            longest = request.Sequence;
        }

        return longest;
    }

    private CachedSequence? Forked(CachedSequence source, int length, int total, int promised)
    {
        CachedSequence fork = source.Fork(length);
        // A page that both begin to fill is copied.
        if (Fits(total - (length / PageTokens), promised))
            return fork;
        fork.Dispose();
        return null;
    }

    private CachedSequence? TakenOver(CachedSequence retained, int length, int total, int promised)
    {
        Prefixes.Release(retained);
        int kept = (int)KeyValuePages.Count(length), freed = 0;
        foreach (int page in retained.Pages.Pages[kept..])
            freed += pool.OwnersOf(page) == 1 ? 1 : 0;
        // A page that another retained one has too is copied before it is written to.
        int copied = length % PageTokens != 0 && pool.OwnersOf(retained.Pages.Pages[kept - 1]) > 1 ? 1 : 0;
        if (Fits(total - kept + copied - freed, promised))
        {
            retained.Truncate(length);
            return retained;
        }

        Prefixes.Restore(retained);
        return null;
    }

    // What is promised has memory, or retained pages that will give way: nothing that runs depends on what the device has free later.
    private bool Fits(int wanted, int promised)
    {
        int available = Prefixes.AvailablePages();
        int retained = available - pool.FreePages;
        return wanted + promised <= available && pool.Prepare(Math.Max(0, wanted + promised - retained));
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>
/// Runs requests by continuous batching, one iteration at a time (README.md beside this file is its contract). Has no thread of its own, and is not
/// thread-safe; only requests' cancellation comes from elsewhere.
/// </summary>
internal sealed class Scheduler : IDisposable
{
    private readonly IStepRunner runner;
    private readonly EngineSizes sizes;
    private readonly PageLedger pages;
    private readonly List<AnswerRequest> waiting = [];
    private readonly List<AnswerRequest> answering = [];
    private readonly Queue<AwaitedRows[]> pending = new();
    private readonly List<int> freeSlots = [];
    private readonly StepRow[] rows;
    private AnswerRequest? reading;

    /// <param name="runner">Not owned; must outlive this.</param>
    /// <param name="sizes">Most of everything.</param>
    public Scheduler(IStepRunner runner, EngineSizes sizes)
    {
        ArgumentNullException.ThrowIfNull(runner);
        this.runner = runner;
        this.sizes = sizes;
        pages = new PageLedger(runner, sizes.RetainedPages);
        rows = new StepRow[sizes.Sequences];
        for (int slot = sizes.Sequences - 1; slot >= 0; slot--)
            freeSlots.Add(slot);
    }

    /// <summary>An iteration would do something.</summary>
    public bool HasWork => waiting.Count > 0 || reading is not null || answering.Count > 0 || pending.Count > 0;

    /// <summary>Requests that wait to be admitted.</summary>
    public int Waiting => waiting.Count;

    /// <summary>Requests whose answers are under way.</summary>
    public int Answering => answering.Count;

    /// <summary>Requests that have a slot.</summary>
    public int Running => answering.Count + (reading is null ? 0 : 1);

    /// <summary>Pages of the cache.</summary>
    public int PageCount => runner.Pool.PageCount;

    /// <summary>Pages that no running request holds.</summary>
    public int AvailablePages => pages.Prefixes.AvailablePages();

    /// <summary>Appends a request to the queue.</summary>
    public void Add(AnswerRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Prompt.Count >= sizes.ContextLength)
        {
            request.Fail(sizes.PromptTooLong(request.Prompt.Count));
            return;
        }

        request.MaxTokens = Math.Min(request.MaxTokens, sizes.ContextLength - request.Prompt.Count);
        waiting.Add(request);
    }

    /// <summary>One piece of a prompt at most, one step of all answers, and what they chose.</summary>
    public void Iterate()
    {
        EndCancelled();
        Admit();
        ReadPiece();
        // A choice made at once is heard at once; one under way on a device, when the next step is queued behind it.
        if (!runner.RunsAhead)
            Take(leave: 0);
        bool isQueued = Step();
        Take(leave: runner.RunsAhead && isQueued ? 1 : 0);
    }

    /// <summary>Positions of each sequence that is kept of ended requests, the last used first.</summary>
    public IReadOnlyList<int> PrefixLengths => pages.Prefixes.Lengths;

    /// <summary>Forgets what ended requests have computed.</summary>
    public void DropPrefixes() => pages.Prefixes.Clear();

    /// <summary>Ends all requests.</summary>
    public void EndAll(Exception why)
    {
        foreach (AnswerRequest request in Everyone())
        {
            request.Fail(why);
            Leave(request);
        }
    }

    /// <summary>Ends all requests, and gives all pages back.</summary>
    public void Dispose()
    {
        EndAll(new ObjectDisposedException(nameof(XComposerEngine)));
        if (pending.Count > 0)
            DropChoices();
        pages.Prefixes.Dispose();
    }

    private AnswerRequest[] Everyone() => [.. answering, .. reading is null ? Array.Empty<AnswerRequest>() : [reading], .. waiting];

    private void EndCancelled()
    {
        if (!(waiting.Exists(IsEnded) || answering.Exists(IsEnded) || (reading is not null && IsEnded(reading))))
            return;
        foreach (AnswerRequest request in Everyone())
            if (request.IsEnded)
            {
                request.CompleteCancelled();
                Leave(request);
            }
    }

    private static bool IsEnded(AnswerRequest request) => request.IsEnded;

    private void Admit()
    {
        if (reading is not null || waiting.Count == 0 || freeSlots.Count < waiting[0].Width)
            return;
        AnswerRequest request = waiting[0];
        if (!pages.TryAdmit(request, answering))
        {
            if (answering.Count > 0)
                return;
            // Alone, it has all pages: what is retained may only be in its way by being shared.
            pages.Prefixes.Clear();
            if (!pages.TryAdmit(request, answering))
            {
                request.Fail(EngineSizes.CacheTooSmall(request.Prompt.Count, request.MaxTokens, request.Width, runner.Pool.PageCount));
                Leave(request);
                return;
            }
        }

        waiting.RemoveAt(0);
        request.Slots = [.. freeSlots.TakeLast(request.Width)];
        freeSlots.RemoveRange(freeSlots.Count - request.Width, request.Width);
        request.Clock.Admit();
        reading = request;
        if (request.Beams is { } beams)
            request.Search = new BeamAnswer(beams, request.Sequence!, request.MaxTokens, request.Slots);
        else
            Guard(request, () => runner.Begin(request.Slot, request.Sampling));
    }

    private void ReadPiece()
    {
        if (reading is not { } request)
            return;
        Guard(request, () =>
        {
            ReadOnlySpan<PromptPosition> unread = request.Unread;
            ReadOnlySpan<PromptPosition> piece = unread[..PieceLength(unread.Length)];
            if (EncodedOne(request, piece))
                return;
            bool isLast = piece.Length == unread.Length;
            runner.Read(request.Sequence!.Pages, piece, isLast ? request.Search?.Choice(0) ?? new RowChoice(request.Slot) : null, request.Ended);
            request.Sequence.Keep(piece);
            if (!isLast)
                return;
            reading = null;
            Unpin(request);
            answering.Add(request);
            Await([new AwaitedRows(request, 1)]);
        });
    }

    // Beside others, a piece is short; and the last one is not of a single position, for which other kernels would run.
    private int PieceLength(int unread)
    {
        int most = answering.Count == 0 ? sizes.StepTokens : sizes.PieceTokens;
        return unread <= most ? unread : unread == most + 1 && most > 1 ? most - 1 : most;
    }

    private bool EncodedOne(AnswerRequest request, ReadOnlySpan<PromptPosition> piece)
    {
        PreparedPicture? last = null;
        foreach (ref readonly PromptPosition position in piece)
        {
            if (position.Picture is not { } picture || ReferenceEquals(picture, last))
                continue;
            last = picture;
            if (request.Pinned.Exists(pinned => pinned.Hash == picture.Hash))
                continue;
            bool isNew = !runner.HasRows(picture);
            if (isNew)
            {
                long start = Stopwatch.GetTimestamp();
                runner.Encode(picture, request.Ended);
                request.Clock.Vision += Stopwatch.GetElapsedTime(start);
            }

            runner.Pin(picture);
            request.Pinned.Add(picture);
            if (isNew)
                return true;
        }

        return false;
    }

    private bool Step()
    {
        int count = 0;
        var stepped = new List<AwaitedRows>(answering.Count);
        foreach (AnswerRequest request in answering)
            if (AddRows(request, ref count) is > 0 and int added)
                stepped.Add(new AwaitedRows(request, added));
        if (count == 0)
            return false;
        AnswerRequest? alone = stepped.Count == 1 ? stepped[0].Request : null;
        try
        {
            runner.Step(rows.AsSpan(0, count), alone?.Ended ?? CancellationToken.None);
        }
        catch (OperationCanceledException) when (alone is { IsEnded: true })
        {
            alone.CompleteCancelled();
            Leave(alone);
            return false;
        }
        catch (Exception failure)
        {
            FailAll(failure);
            return false;
        }

        foreach (AwaitedRows rowsOf in stepped)
            rowsOf.Request.NoteStep();
        Await([.. stepped]);
        return true;
    }

    private int AddRows(AnswerRequest request, ref int count)
    {
        if (request.Search is { } search)
        {
            if (!search.IsReady)
                return 0;
            for (int beam = 0; beam < search.Sequences.Count; beam++)
            {
                Reserve(search.Sequences[beam]);
                rows[count++] = search.Row(beam);
            }

            return search.Sequences.Count;
        }

        // The token at the limit has no step.
        if (request.IsAhead || (request.NextId is null && (request.Pending == 0 || request.Tokens + 1 >= request.MaxTokens)))
            return 0;
        Reserve(request.Sequence!);
        rows[count++] = new StepRow(request.Sequence!.Pages, new RowChoice(request.Slot));
        return 1;
    }

    private void Reserve(CachedSequence sequence)
    {
        if (!pages.TryReserve(sequence, 1))
            throw new UnreachableException("the pages of a running request are promised to it");
    }

    private void Await(AwaitedRows[] choices)
    {
        foreach (AwaitedRows awaited in choices)
            awaited.Request.Pending++;
        pending.Enqueue(choices);
    }

    private void Take(int leave)
    {
        while (pending.Count > leave)
        {
            ReadOnlySpan<TokenChoice> choices;
            try
            {
                choices = runner.Take();
            }
            catch (Exception failure)
            {
                FailAll(failure);
                return;
            }

            foreach ((AnswerRequest request, int count) in pending.Dequeue())
            {
                request.Pending--;
                // Those that have ended meanwhile have no slot any more.
                if (request.IsAdmitted && request.Hear(choices[..count]))
                    Leave(request);
                choices = choices[count..];
            }
        }
    }

    // A failure in what runs for one request alone is its own.
    private void Guard(AnswerRequest request, Action work)
    {
        try
        {
            work();
        }
        catch (OperationCanceledException) when (request.IsEnded)
        {
            request.CompleteCancelled();
            Leave(request);
        }
        catch (Exception failure)
        {
            request.Fail(failure);
            Leave(request);
        }
    }

    private void FailAll(Exception failure)
    {
        AnswerRequest[] failed = [.. answering, .. reading is null ? Array.Empty<AnswerRequest>() : [reading]];
        foreach (AnswerRequest request in failed)
        {
            request.Fail(failure);
            Leave(request);
        }

        DropChoices();
    }

    private void DropChoices()
    {
        pending.Clear();
        try
        {
            runner.DropChoices();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Whoever asks next is told by the same call.
        }
    }

    private void Leave(AnswerRequest request)
    {
        if (ReferenceEquals(reading, request))
            reading = null;
        else if (!answering.Remove(request))
            waiting.Remove(request);
        Unpin(request);
        freeSlots.AddRange(request.Slots);
        request.Slots = [];
        if (request.Search?.TakeLongest() is { } longest)
            pages.Prefixes.Retain(longest);
        request.Search?.Dispose();
        if (request.Sequence is { } sequence)
            pages.Prefixes.Retain(sequence);
        request.Sequence = null;
        request.Dispose();
    }

    private void Unpin(AnswerRequest request)
    {
        foreach (PreparedPicture picture in request.Pinned)
            runner.Unpin(picture);
        request.Pinned.Clear();
    }
}

/// <summary>Rows of a request in a step whose choices are not taken yet.</summary>
internal readonly record struct AwaitedRows(AnswerRequest Request, int Rows);

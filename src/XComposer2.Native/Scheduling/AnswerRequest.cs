using System.Diagnostics;
using System.Runtime.InteropServices;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Hears the tokens of one answer, on the engine thread: short, and never waiting.</summary>
internal interface IAnswerSink
{
    /// <returns>Why the answer ends with this token; null where it goes on.</returns>
    FinishReason? Take(in TokenChoice choice);
}

/// <summary>An answer that is wanted, and where it stands. The engine thread owns all but <see cref="Outcome"/> and <see cref="Cancel"/>.</summary>
internal sealed class AnswerRequest : IDisposable
{
    private readonly TaskCompletionSource<AnswerOutcome> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource ended;
    private readonly CancellationToken cancellation;
    private readonly TimeSpan? timeout;
    private readonly long submitted = Stopwatch.GetTimestamp();
    private CancellationTokenRegistration engineStop;
    private volatile Exception? reason;
    private volatile bool stopped;

    /// <param name="prompt">Not empty.</param>
    /// <param name="sampling">How tokens are chosen.</param>
    /// <param name="maxTokens">Of the answer; the scheduler allows no more than the context.</param>
    /// <param name="sink">Hears the tokens.</param>
    /// <param name="timeout">From now to the end of the answer; null for no limit.</param>
    /// <param name="cancellation">Ends the answer.</param>
    public AnswerRequest(List<PromptPosition> prompt, in SamplingRequest sampling, int maxTokens, IAnswerSink sink, TimeSpan? timeout, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 1);
        Prompt = prompt;
        Sampling = sampling;
        MaxTokens = maxTokens;
        Sink = sink;
        this.timeout = timeout;
        this.cancellation = cancellation;
        ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (timeout is { } limit)
            ended.CancelAfter(limit);
    }

    public List<PromptPosition> Prompt { get; }

    public SamplingRequest Sampling { get; }

    /// <summary>The answer is searched for with beams; null where its tokens are sampled.</summary>
    public BeamSettings? Beams { get; init; }

    /// <summary>Rows of a step, and slots.</summary>
    public int Width => Beams?.Beams ?? 1;

    /// <summary>Tokens of the answer at most.</summary>
    public int MaxTokens { get; set; }

    public IAnswerSink Sink { get; }

    /// <summary>How it ended; a failed or cancelled task where there is no result.</summary>
    public Task<AnswerOutcome> Outcome => outcome.Task;

    /// <summary>Set by cancellation and by the deadline.</summary>
    public CancellationToken Ended => ended.Token;

    public bool IsEnded => ended.IsCancellationRequested;

    /// <summary>The cache's side of it; null before it is admitted.</summary>
    public CachedSequence? Sequence { get; set; }

    /// <summary>The search, once admitted; null where tokens are sampled.</summary>
    public BeamAnswer? Search { get; set; }

    /// <summary>As many as it is wide; the first one has its sampler. Empty before it is admitted, and when it has ended.</summary>
    public int[] Slots { get; set; } = [];

    /// <summary>Where its sampler is.</summary>
    public int Slot => Slots[0];

    /// <summary>It has a place among those that run.</summary>
    public bool IsAdmitted => Slots.Length > 0;

    /// <summary>Pages that it holds.</summary>
    public int HeldPages => Search?.HeldPages ?? Sequence!.Pages.Pages.Length;

    /// <summary>Pages that it holds or may want at worst.</summary>
    public int PromisedPages { get; set; }

    /// <summary>Positions of the prompt that were in the cache already.</summary>
    public int CachedTokens { get; set; }

    /// <summary>Pictures whose rows it keeps while its prompt is read.</summary>
    public List<PreparedPicture> Pinned { get; } = [];

    /// <summary>Tokens that were heard.</summary>
    public int Tokens { get; set; }

    /// <summary>The last token that was heard and is not in the cache; null where there is none.</summary>
    public int? NextId { get; set; }

    /// <summary>A step of a token that was not heard is queued.</summary>
    public bool IsAhead { get; set; }

    /// <summary>Choices that were not taken.</summary>
    public int Pending { get; set; }

    /// <summary>Where time went.</summary>
    public AnswerClock Clock { get; } = new();

    /// <summary>The rest of the prompt.</summary>
    public ReadOnlySpan<PromptPosition> Unread => CollectionsMarshal.AsSpan(Prompt)[Sequence!.Length..];

    /// <summary>Ends it when its engine is disposed.</summary>
    public void EndWith(CancellationToken stop) => engineStop = stop.Register(() => Cancel(new ObjectDisposedException(nameof(XComposerEngine))));

    /// <summary>Ends it, from any thread.</summary>
    /// <param name="why">What its outcome will be; null for a plain cancellation.</param>
    public void Cancel(Exception? why = null)
    {
        reason ??= why;
        try
        {
            ended.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself meanwhile.
        }
    }

    /// <summary>Ends it from any thread and keeps what was said: its outcome is <see cref="FinishReason.Stopped"/>.</summary>
    public void Stop()
    {
        stopped = true;
        Cancel();
    }

    /// <summary>The step of its last tokens is queued.</summary>
    public void NoteStep()
    {
        if (Search is not null)
        {
            Search.KeepStep();
            Clock.DecodeSteps++;
            return;
        }

        if (NextId is { } id)
            Keep(id);
        else
            IsAhead = true;
        NextId = null;
    }

    /// <summary>Hears what was chosen behind its rows, and completes the outcome where that is the end.</summary>
    /// <returns>It has ended.</returns>
    public bool Hear(ReadOnlySpan<TokenChoice> choices)
    {
        Clock.Hear();
        foreach (TokenChoice heard in choices)
            if (heard.Failure is { } failure)
            {
                Fail(new EngineException($"the model gave no usable logits after {Tokens} tokens of the answer ({failure}): a weight may not be finite; xc2 inspect --check finds it"));
                return true;
            }

        FinishReason? finish = Search is null ? Hear(choices[0]) : HearRanked(Search, choices);
        if (finish is { } end)
            Complete(end);
        return finish is not null;
    }

    public void Complete(FinishReason finish)
    {
        AnswerTimes times = Clock.Finish(submitted);
        outcome.TrySetResult(new AnswerOutcome(finish, CachedTokens, times));
    }

    public void Fail(Exception failure) => outcome.TrySetException(failure);

    /// <summary>It was cancelled, or is late.</summary>
    public void CompleteCancelled()
    {
        if (reason is { } why)
            outcome.TrySetException(why);
        else if (stopped && !cancellation.IsCancellationRequested)
            Complete(FinishReason.Stopped);
        else if (cancellation.IsCancellationRequested || timeout is null)
            outcome.TrySetCanceled(cancellation);
        else
            outcome.TrySetException(new TimeoutException(FormattableString.Invariant($"the answer was not complete after {timeout.Value.TotalSeconds:g} s, its time limit")));
    }

    private FinishReason? Hear(in TokenChoice choice)
    {
        FinishReason? finish = Sink.Take(choice);
        Tokens++;
        if (finish is null && Tokens >= MaxTokens)
            finish = FinishReason.Length;
        if (finish is not null)
            return finish;
        if (IsAhead)
            Keep(choice.Id);
        else
            NextId = choice.Id;
        IsAhead = false;
        return null;
    }

    private FinishReason? HearRanked(BeamAnswer search, ReadOnlySpan<TokenChoice> ranked)
    {
        search.Hear(ranked);
        Tokens++;
        return search.Search.IsDone ? search.Tell(Sink) : null;
    }

    private void Keep(int id)
    {
        Sequence!.Keep([PromptPosition.Text(id)]);
        Clock.DecodeSteps++;
    }

    public void Dispose()
    {
        engineStop.Unregister();
        ended.Dispose();
    }
}

/// <summary>A finished answer, below the text.</summary>
/// <param name="Finish">Why it ended.</param>
/// <param name="CachedTokens">Positions of the prompt that were in the cache already.</param>
/// <param name="Times">Where time went.</param>
internal sealed record AnswerOutcome(FinishReason Finish, int CachedTokens, AnswerTimes Times);

/// <summary>Where the time of a request went.</summary>
/// <param name="Waiting">From submission to admission.</param>
/// <param name="Vision">Vision tower and projector.</param>
/// <param name="Prefill">The rest, from admission to the first token.</param>
/// <param name="Decode">From the first token to the last.</param>
/// <param name="DecodeSteps">Steps of heard tokens.</param>
internal readonly record struct AnswerTimes(TimeSpan Waiting, TimeSpan Vision, TimeSpan Prefill, TimeSpan Decode, int DecodeSteps);

/// <summary>Takes the times of one request.</summary>
internal sealed class AnswerClock
{
    private long admitted, first;

    public TimeSpan Vision { get; set; }

    public int DecodeSteps { get; set; }

    /// <summary>When the first token was heard; 0 before.</summary>
    public long FirstHeard => first;

    public void Admit() => admitted = Stopwatch.GetTimestamp();

    public void Hear()
    {
        if (first == 0)
            first = Stopwatch.GetTimestamp();
    }

    /// <summary>An answer that was stopped may not have been admitted, or not have a first token.</summary>
    public AnswerTimes Finish(long submitted)
    {
        long now = Stopwatch.GetTimestamp();
        long began = admitted == 0 ? now : admitted, spoke = first == 0 ? now : first;
        return new AnswerTimes(Stopwatch.GetElapsedTime(submitted, began), Vision, Stopwatch.GetElapsedTime(began, spoke) - Vision, Stopwatch.GetElapsedTime(spoke, now), DecodeSteps);
    }
}

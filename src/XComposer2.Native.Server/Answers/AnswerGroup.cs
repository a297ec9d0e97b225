using System.Threading.Channels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>Prompts to answer.</summary>
/// <param name="Pieces">The prompt.</param>
/// <param name="Pictures">Its pictures.</param>
/// <param name="StopIds">End marks; none for answers that only their length ends.</param>
/// <param name="Options">Checked by the engine.</param>
/// <param name="Count">Answers to this prompt; their seeds follow each other.</param>
internal sealed record AnswerPlan(IReadOnlyList<PromptPiece> Pieces, IReadOnlyList<ImageInput> Pictures, IReadOnlyList<int> StopIds, GenerationOptions Options, int Count);

/// <summary>What happens to one answer of a group: a delta, or its end.</summary>
/// <param name="Index">Which answer.</param>
/// <param name="Delta">More text; null at the end.</param>
/// <param name="Result">The answer; null before its end.</param>
/// <param name="Failure">Why there is none.</param>
internal readonly record struct AnswerEvent(int Index, TextDelta? Delta, GenerationResult? Result, Exception? Failure);

/// <summary>Answers that are generated together for one request. Disposing it cancels those that are not finished.</summary>
internal sealed class AnswerGroup : IDisposable
{
    private readonly Channel<AnswerEvent> events = Channel.CreateUnbounded<AnswerEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly List<PendingAnswer> pending = [];
    private readonly GenerationResult?[] results;
    private int unfinished;

    private AnswerGroup(int count)
    {
        results = new GenerationResult?[count];
        unfinished = count;
    }

    /// <summary>Events of all answers; ends with the last one.</summary>
    public ChannelReader<AnswerEvent> Events => events.Reader;

    /// <summary>Answers of the group.</summary>
    public int Count => results.Length;

    /// <summary>Results of all answers, after <see cref="Events"/> has ended.</summary>
    public IReadOnlyList<GenerationResult> Results => [.. results.Select(result => result!)];

    /// <summary>Prepares pictures and submits all answers.</summary>
    /// <param name="answers">Of the engine.</param>
    /// <param name="plans">Answers are numbered in this order.</param>
    /// <param name="cancellation">Ends all answers.</param>
    /// <exception cref="EngineException">A prompt is too long, or an option is out of range.</exception>
    /// <exception cref="ImageException">A picture is damaged, too large, or no picture.</exception>
    public static async Task<AnswerGroup> StartAsync(AnswerService answers, IReadOnlyList<AnswerPlan> plans, CancellationToken cancellation)
    {
        var group = new AnswerGroup(plans.Sum(plan => plan.Count));
        try
        {
            foreach (AnswerPlan plan in plans)
            {
                ulong seed = plan.Options.Seed ?? (ulong)Random.Shared.NextInt64(GenerationOptions.MaximumDrawnSeed);
                for (int answer = 0; answer < plan.Count; answer++)
                {
                    int index = group.pending.Count;
                    var asked = new Conversation(plan.Pieces, [], plan.Pictures);
                    var deltas = new DeltaWriter(index, group.events.Writer);
                    group.pending.Add(await answers.SubmitAsync(asked, plan.StopIds, plan.Options with { Seed = unchecked(seed + (ulong)answer) }, deltas, cancellation).ConfigureAwait(false));
                    _ = group.FollowAsync(index);
                }
            }

            return group;
        }
        catch
        {
            group.Dispose();
            throw;
        }
    }

    /// <summary>Waits for all answers.</summary>
    /// <exception cref="XComposerException">One of them failed.</exception>
    public async Task<IReadOnlyList<GenerationResult>> FinishAsync(Action<AnswerEvent> heard, CancellationToken cancellation)
    {
        await foreach (AnswerEvent next in events.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            heard(next);
            if (next.Failure is { } failure)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }

        return Results;
    }

    public void Dispose()
    {
        foreach (PendingAnswer answer in pending)
            answer.Request.Cancel();
    }

    private async Task FollowAsync(int index)
    {
        try
        {
            results[index] = await pending[index].Result.ConfigureAwait(false);
            events.Writer.TryWrite(new AnswerEvent(index, null, results[index], null));
        }
        catch (Exception failure)
        {
            events.Writer.TryWrite(new AnswerEvent(index, null, null, failure));
        }

        if (Interlocked.Decrement(ref unfinished) == 0)
            events.Writer.TryComplete();
    }

    /// <summary>Takes the deltas of one answer on the engine thread.</summary>
    private sealed class DeltaWriter(int index, ChannelWriter<AnswerEvent> group) : ChannelWriter<GenerationEvent>
    {
        public override bool TryWrite(GenerationEvent item) => item is not TextDelta delta || group.TryWrite(new AnswerEvent(index, delta, null, null));

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(true);

        public override bool TryComplete(Exception? error = null) => true;
    }
}

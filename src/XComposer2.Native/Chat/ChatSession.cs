using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>A conversation. Keeps its KV cache over turns and encodes no picture twice. One answer at a time.</summary>
public sealed class ChatSession : IDisposable
{
    private readonly XComposerEngine engine;
    private readonly ChatTemplate template;
    private readonly string? system;
    private readonly List<ChatTurn> turns = [];
    private readonly List<ImageEmbedding> images = [];
    private readonly List<ChatExchange> history = [];
    private readonly CachedSequence cache;
    private int answering;
    private bool disposed;

    internal ChatSession(XComposerEngine engine, ChatTemplate template, string? system)
    {
        this.engine = engine;
        this.template = template;
        this.system = system;
        cache = new CachedSequence(engine.Runner);
    }

    /// <summary>Finished turns, oldest first.</summary>
    public IReadOnlyList<ChatExchange> History => history;

    internal long LastUse { get; private set; }

    internal int CachedTokens => cache.Length;

    /// <summary>Asks, and streams the answer: text as it becomes certain, then the result. A turn that fails or is cancelled leaves the conversation as it was.</summary>
    /// <param name="message">The question and its pictures.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellationToken">Ends the answer within one step.</param>
    /// <exception cref="EngineException">The request cannot be carried out (over the context, options out of range).</exception>
    /// <exception cref="PromptException">The question is empty, or placeholders and pictures differ in number.</exception>
    /// <exception cref="ImageException">A picture is damaged, too large, or no picture.</exception>
    /// <exception cref="InvalidOperationException">Another answer of this session is running.</exception>
    public async IAsyncEnumerable<GenerationEvent> SendAsync(
        UserMessage message, GenerationOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ObjectDisposedException.ThrowIf(disposed, this);
        options ??= new GenerationOptions();
        GenerationChecks.Require(options);
        if (Interlocked.Exchange(ref answering, 1) != 0)
            throw new InvalidOperationException("another answer of this session is running");
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var events = Channel.CreateUnbounded<GenerationEvent>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        Task<AnsweredTurn> answer = Task.Run(() => AnswerAsync(message, options, events.Writer, abandoned.Token), CancellationToken.None);
        try
        {
            while (await events.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                while (events.Reader.TryRead(out GenerationEvent? next))
                {
                    yield return next;
                    cancellationToken.ThrowIfCancellationRequested();
                }
            }

            // The answer may be finished long before it is read: what its reader did not want to the end is not part of the conversation.
            AnsweredTurn turn = await answer.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            Keep(turn);
            yield return new GenerationCompleted(turn.Exchange.Answer);
        }
        finally
        {
            // Also reached when the caller stops reading: the answer must have ended before the next one may begin.
            await abandoned.CancelAsync().ConfigureAwait(false);
            await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Volatile.Write(ref answering, 0);
        }
    }

    /// <summary>Forgets the conversation; the system text stays.</summary>
    /// <exception cref="InvalidOperationException">An answer is running.</exception>
    public void Reset()
    {
        if (Volatile.Read(ref answering) != 0)
            throw new InvalidOperationException("an answer of this session is running");
        turns.Clear();
        images.Clear();
        history.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        engine.Turn.Wait();
        try
        {
            engine.Forget(this);
            cache.Dispose();
        }
        finally
        {
            engine.Turn.Release();
        }
    }

    internal void DropCache() => cache.Drop();

    private void Keep(AnsweredTurn turn)
    {
        turns.Add(turn.Turn);
        images.AddRange(turn.Images);
        history.Add(turn.Exchange);
    }

    private async Task<AnsweredTurn> AnswerAsync(UserMessage message, GenerationOptions options, ChannelWriter<GenerationEvent> events, CancellationToken cancellation)
    {
        try
        {
            await engine.Turn.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                LastUse = Stopwatch.GetTimestamp();
                return Answer(message, options, events, cancellation);
            }
            catch (Exception failure) when (DeviceFailure.Describe(failure) is { } why)
            {
                throw new EngineException($"the GPU failed: {why}", failure);
            }
            finally
            {
                engine.Turn.Release();
            }
        }
        finally
        {
            events.Complete();
        }
    }

    private AnsweredTurn Answer(UserMessage message, GenerationOptions options, ChannelWriter<GenerationEvent> events, CancellationToken cancellation)
    {
        List<ChatTurn> asked = [.. turns, new ChatTurn(message.Text, message.Images.Count, null)];
        IReadOnlyList<PromptPiece> pieces = template.Render(system, asked, message.AnswerPrefix);
        var encoder = new ImageEncoder(engine);
        List<ImageEmbedding> seen = [.. images, .. encoder.Encode(message.Images, cancellation)];
        List<PromptPosition> positions = Positions(pieces, seen);
        var generation = new AnswerGeneration(engine, this, cache, template.StopIds, options);
        GenerationResult result = generation.Run(positions, encoder.DecodeTime, encoder.VisionTime, events, cancellation);

        IReadOnlyList<int> said = generation.EndedByText ? engine.Tokenizer.Encode(result.Text) : result.TokenIds;
        if (message.AnswerPrefix.Length > 0)
            said = [.. engine.Tokenizer.EncodeUserText(message.AnswerPrefix), .. said];
        return new AnsweredTurn(new ChatTurn(message.Text, message.Images.Count, said), seen[images.Count..], new ChatExchange(message, result));
    }

    private static List<PromptPosition> Positions(IReadOnlyList<PromptPiece> pieces, List<ImageEmbedding> images)
    {
        var positions = new List<PromptPosition>();
        foreach (PromptPiece piece in pieces)
        {
            foreach (int id in piece.Ids)
                positions.Add(PromptPosition.Text(id));
            if (!piece.IsImage)
                continue;
            ImageEmbedding image = images[piece.Image];
            for (int row = 0; row < image.TokenCount; row++)
                positions.Add(PromptPosition.Visual(image, row));
        }

        return positions;
    }
}

/// <summary>Facts that hold for a whole conversation.</summary>
public sealed record SessionOptions
{
    /// <summary>Text of the system turn; null for the prompt style's own (the default style has none), empty for none.</summary>
    public string? System { get; init; }

    /// <summary>Name of a prompt style (see the prompt styles of XComposer2.Native.Model); null for the default, "train".</summary>
    public string? PromptStyle { get; init; }
}

/// <summary>One finished turn of a conversation.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Answer">What was answered.</param>
public sealed record ChatExchange(UserMessage Question, GenerationResult Answer);

/// <summary>An answer that is whole, before the conversation takes it.</summary>
/// <param name="Turn">For the next prompt.</param>
/// <param name="Images">Pictures of this turn alone.</param>
/// <param name="Exchange">For the history.</param>
internal sealed record AnsweredTurn(ChatTurn Turn, IReadOnlyList<ImageEmbedding> Images, ChatExchange Exchange);

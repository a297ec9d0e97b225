using System.Runtime.CompilerServices;
using System.Threading.Channels;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>A conversation; one answer at a time. The common beginning of prompts is computed once.</summary>
public sealed class ChatSession : IDisposable, IAsyncDisposable
{
    private readonly AnswerService answers;
    private readonly ChatTemplate template;
    private readonly bool mayBeLong;
    private readonly List<ChatTurn> turns = [];
    private readonly List<PreparedPicture> pictures = [];
    private readonly List<ChatExchange> history = [];
    private string? system;
    private int answering;
    private volatile bool isStopping;
    private volatile CancellationTokenSource? preparing;
    private volatile AnswerRequest? running;
    private volatile bool disposed;

    internal ChatSession(AnswerService answers, ChatTemplate template, string? system, bool mayBeLong)
    {
        this.answers = answers;
        this.template = template;
        this.system = system;
        this.mayBeLong = mayBeLong;
    }

    /// <summary>Finished turns, oldest first.</summary>
    public IReadOnlyList<ChatExchange> History => history;

    /// <summary>Text of the system turn; null for the prompt style's own, empty for none. A change applies to the whole conversation from the next message on.</summary>
    /// <exception cref="InvalidOperationException">Set while an answer is running.</exception>
    public string? System
    {
        get => system;
        set
        {
            RequireIdle();
            system = value;
        }
    }

    /// <summary>Sends a message and streams the answer: any number of <see cref="TextDelta"/>, then one <see cref="GenerationCompleted"/>.
    /// A failed or cancelled turn leaves the conversation unchanged; a stopped one (<see cref="StopAnswer"/>) keeps the text so far.</summary>
    /// <param name="message">The question and its pictures.</param>
    /// <param name="options">Sampling, limits and stop texts; null for the defaults.</param>
    /// <param name="cancellationToken">Stops the answer within one step.</param>
    /// <exception cref="EngineException">The prompt exceeds the context, an option is out of range, or the GPU failed.</exception>
    /// <exception cref="PromptException">The message is empty, or the numbers of placeholders and pictures differ.</exception>
    /// <exception cref="ImageException">A picture is damaged, too large, or not a picture.</exception>
    /// <exception cref="TimeoutException">The answer took longer than <see cref="GenerationOptions.Timeout"/>.</exception>
    /// <exception cref="InvalidOperationException">Another answer of this session is running.</exception>
    /// <exception cref="OperationCanceledException">The answer was cancelled, or stopped before its first text.</exception>
    /// <exception cref="ObjectDisposedException">The session or its engine was disposed before or during the answer.</exception>
    public IAsyncEnumerable<GenerationEvent> SendAsync(UserMessage message, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return AnswerAsync(() => message, replacesLast: false, options, cancellationToken);
    }

    /// <summary>Answers the last question again; the new answer replaces the old one when it is complete or stopped.</summary>
    /// <inheritdoc cref="SendAsync"/>
    /// <exception cref="InvalidOperationException">Nothing was asked yet, or another answer of this session is running.</exception>
    public IAsyncEnumerable<GenerationEvent> RegenerateAsync(GenerationOptions? options = null, CancellationToken cancellationToken = default) => AnswerAsync(
        () => history.Count > 0 ? history[^1].Question : throw new InvalidOperationException("nothing was asked yet"), replacesLast: true, options, cancellationToken);

    /// <summary>Stops the running answer within one step. Its text so far is its result, with <see cref="FinishReason.Stopped"/>, and part of the conversation;
    /// without any text the answer ends with an <see cref="OperationCanceledException"/>. Nothing happens if no answer is running. Safe to call from any thread.</summary>
    public void StopAnswer()
    {
        isStopping = true;
        if (running is { } request)
        {
            request.Stop();
            return;
        }

        try
        {
            preparing?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer has ended meanwhile.
        }
    }

    /// <summary>Replaces the conversation by earlier turns, for example of a file. Texts are encoded like those of users: they cannot contain marks of turns.</summary>
    /// <param name="exchanges">Oldest first.</param>
    /// <param name="cancellationToken">Leaves the conversation as it was.</param>
    /// <exception cref="ImageException">A picture is damaged, too large, or no picture.</exception>
    /// <exception cref="PromptException">A question is empty, or placeholders and pictures differ in number.</exception>
    /// <exception cref="InvalidOperationException">An answer is running.</exception>
    public async Task RestoreAsync(IReadOnlyList<ChatExchange> exchanges, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(exchanges);
        ObjectDisposedException.ThrowIf(disposed, this);
        if (Interlocked.Exchange(ref answering, 1) != 0)
            throw new InvalidOperationException("an answer of this session is running");
        try
        {
            List<ChatTurn> restored = [.. exchanges.Select(exchange => new ChatTurn(exchange.Question.Text, exchange.Question.Images.Count, answers.Tokenizer.EncodeUserText(exchange.Answer.Text)))];
            _ = template.Render(system, [.. restored, new ChatTurn("next", 0, null)]);
            TimedPicture[] prepared = await answers.PrepareAsync(exchanges.SelectMany(exchange => exchange.Question.Images), cancellationToken).ConfigureAwait(false);
            Clear();
            turns.AddRange(restored);
            pictures.AddRange(prepared.Select(picture => picture.Picture));
            history.AddRange(exchanges);
        }
        finally
        {
            Volatile.Write(ref answering, 0);
        }
    }

    /// <summary>Clears the conversation; the system text is kept.</summary>
    /// <exception cref="InvalidOperationException">An answer is running.</exception>
    public void Reset()
    {
        RequireIdle();
        Clear();
    }

    /// <summary>Stops a running answer without waiting.</summary>
    public void Dispose()
    {
        disposed = true;
        running?.Cancel(new ObjectDisposedException(nameof(ChatSession)));
    }

    /// <summary>Stops a running answer; completes when its cache pages are free.</summary>
    public async ValueTask DisposeAsync()
    {
        AnswerRequest? last = running;
        Dispose();
        if (last is not null)
            await ((Task)last.Outcome).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async IAsyncEnumerable<GenerationEvent> AnswerAsync(
        Func<UserMessage> question, bool replacesLast, GenerationOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        options ??= new GenerationOptions();
        answers.Require(options);
        if (Interlocked.Exchange(ref answering, 1) != 0)
            throw new InvalidOperationException("another answer of this session is running");
        var events = Channel.CreateUnbounded<GenerationEvent>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        PendingAnswer? pending = null;
        using var unstopped = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            isStopping = false;
            preparing = unstopped;
            UserMessage message = question();
            int earlier = replacesLast ? turns.Count - 1 : turns.Count;
            Conversation asked = Ask(message, earlier);
            pending = await answers.SubmitAsync(asked, template.StopIds, options, events.Writer, unstopped.Token).ConfigureAwait(false);
            running = pending.Request;
            if (isStopping)
                pending.Request.Stop();
            if (disposed)
                pending.Request.Cancel(new ObjectDisposedException(nameof(ChatSession)));
            while (await events.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (events.Reader.TryRead(out GenerationEvent? next))
                {
                    yield return next;
                    cancellationToken.ThrowIfCancellationRequested();
                }
            }

            // The answer may be finished long before it is read: what its reader did not want to the end is not part of the conversation.
            GenerationResult result = await pending.Result.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (result is { FinishReason: FinishReason.Stopped, Text: "" })
                throw new OperationCanceledException("the answer was stopped before its first word");
            Keep(message, asked, result, pending.Text.EndedByText, earlier);
            yield return new GenerationCompleted(result);
        }
        finally
        {
            // Also reached when the caller stops reading.
            pending?.Request.Cancel();
            preparing = null;
            running = null;
            Volatile.Write(ref answering, 0);
        }
    }

    private void RequireIdle()
    {
        if (Volatile.Read(ref answering) != 0)
            throw new InvalidOperationException("an answer of this session is running");
    }

    private void Clear()
    {
        turns.Clear();
        pictures.Clear();
        history.Clear();
    }

    /// <param name="message">The question.</param>
    /// <param name="earlier">Turns that it follows.</param>
    private Conversation Ask(UserMessage message, int earlier)
    {
        List<ChatTurn> asked = [.. turns.Take(earlier), new ChatTurn(message.Text, message.Images.Count, null)];
        return new Conversation(template.Render(system, asked, message.AnswerPrefix), [.. pictures.Take(PicturesOf(earlier))], message.Images) { MayBeLong = mayBeLong };
    }

    private int PicturesOf(int turnCount) => turns.Take(turnCount).Sum(turn => turn.ImageCount);

    private void Keep(UserMessage message, Conversation asked, GenerationResult result, bool endedByText, int earlier)
    {
        IReadOnlyList<int> said = endedByText ? answers.Tokenizer.Encode(result.Text) : result.TokenIds;
        if (message.AnswerPrefix.Length > 0)
            said = [.. answers.Tokenizer.EncodeUserText(message.AnswerPrefix), .. said];
        pictures.RemoveRange(PicturesOf(earlier), pictures.Count - PicturesOf(earlier));
        turns.RemoveRange(earlier, turns.Count - earlier);
        history.RemoveRange(earlier, history.Count - earlier);
        turns.Add(new ChatTurn(message.Text, message.Images.Count, said));
        pictures.AddRange(asked.NewPictures);
        history.Add(new ChatExchange(message, result));
    }
}

/// <summary>Settings of a conversation.</summary>
public sealed record SessionOptions
{
    /// <summary>Text of the system turn; null for the prompt style's own, empty for none.</summary>
    public string? System { get; init; }

    /// <summary>"chat" (the published chat() call), "train" (fine-tuning), "eval" or "gradio"; null for the model's own: that of its config.json, else "chat".</summary>
    public string? PromptStyle { get; init; }

    /// <summary>Prompts may fill the context, beyond <see cref="EngineInfo.PromptLength"/>: what articles need.</summary>
    internal bool MayBeLong { get; init; }
}

/// <summary>One finished turn of a conversation.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Answer">What was answered.</param>
public sealed record ChatExchange(UserMessage Question, GenerationResult Answer);

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
    private readonly string? system;
    private readonly bool mayBeLong;
    private readonly List<ChatTurn> turns = [];
    private readonly List<PreparedPicture> pictures = [];
    private readonly List<ChatExchange> history = [];
    private int answering;
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

    /// <summary>Sends a message and streams the answer: any number of <see cref="TextDelta"/>, then one <see cref="GenerationCompleted"/>.
    /// A failed or cancelled turn leaves the conversation unchanged.</summary>
    /// <param name="message">The question and its pictures.</param>
    /// <param name="options">Sampling, limits and stop texts; null for the defaults.</param>
    /// <param name="cancellationToken">Stops the answer within one step.</param>
    /// <exception cref="EngineException">The prompt exceeds the context, an option is out of range, or the GPU failed.</exception>
    /// <exception cref="PromptException">The message is empty, or the numbers of placeholders and pictures differ.</exception>
    /// <exception cref="ImageException">A picture is damaged, too large, or not a picture.</exception>
    /// <exception cref="TimeoutException">The answer took longer than <see cref="GenerationOptions.Timeout"/>.</exception>
    /// <exception cref="InvalidOperationException">Another answer of this session is running.</exception>
    /// <exception cref="ObjectDisposedException">The session or its engine was disposed before or during the answer.</exception>
    public async IAsyncEnumerable<GenerationEvent> SendAsync(
        UserMessage message, GenerationOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ObjectDisposedException.ThrowIf(disposed, this);
        options ??= new GenerationOptions();
        GenerationChecks.Require(options);
        if (Interlocked.Exchange(ref answering, 1) != 0)
            throw new InvalidOperationException("another answer of this session is running");
        var events = Channel.CreateUnbounded<GenerationEvent>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        PendingAnswer? pending = null;
        try
        {
            Conversation asked = Ask(message);
            pending = await answers.SubmitAsync(asked, template.StopIds, options, events.Writer, cancellationToken).ConfigureAwait(false);
            running = pending.Request;
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
            Keep(message, asked, result, pending.Text.EndedByText);
            yield return new GenerationCompleted(result);
        }
        finally
        {
            // Also reached when the caller stops reading.
            pending?.Request.Cancel();
            running = null;
            Volatile.Write(ref answering, 0);
        }
    }

    /// <summary>Clears the conversation; the system text is kept.</summary>
    /// <exception cref="InvalidOperationException">An answer is running.</exception>
    public void Reset()
    {
        if (Volatile.Read(ref answering) != 0)
            throw new InvalidOperationException("an answer of this session is running");
        turns.Clear();
        pictures.Clear();
        history.Clear();
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

    private Conversation Ask(UserMessage message)
    {
        List<ChatTurn> asked = [.. turns, new ChatTurn(message.Text, message.Images.Count, null)];
        return new Conversation(template.Render(system, asked, message.AnswerPrefix), [.. pictures], message.Images) { MayBeLong = mayBeLong };
    }

    private void Keep(UserMessage message, Conversation asked, GenerationResult result, bool endedByText)
    {
        IReadOnlyList<int> said = endedByText ? answers.Tokenizer.Encode(result.Text) : result.TokenIds;
        if (message.AnswerPrefix.Length > 0)
            said = [.. answers.Tokenizer.EncodeUserText(message.AnswerPrefix), .. said];
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

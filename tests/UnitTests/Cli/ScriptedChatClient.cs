using System.Runtime.CompilerServices;
using XComposer2.Native.Cli;

namespace XComposer2.Native.UnitTests;

/// <summary>A model that answers from a script, piece by piece.</summary>
/// <param name="answer">Pieces of the answer to a message. May throw, or wait for cancellation.</param>
internal sealed class ScriptedChatClient(Func<UserMessage, CancellationToken, IAsyncEnumerable<string>> answer) : IChatClient
{
    private readonly List<ChatExchange> history = [];
    private CancellationTokenSource? stopping;

    public static EngineInfo SomeInfo { get; } = new("scripted model", "no device", 2048, 36, TimeSpan.FromMilliseconds(12.3456));

    public EngineInfo Info { get; init; } = SomeInfo;

    public IReadOnlyList<ChatExchange> History => history;

    /// <summary>Options of the last message.</summary>
    public GenerationOptions? LastOptions { get; private set; }

    public FinishReason FinishReason { get; init; }

    public bool IsDisposed { get; private set; }

    /// <summary>A model that repeats the question.</summary>
    public static ScriptedChatClient Echo() => new((message, _) => Pieces("you said ", message.Text));

    /// <summary>A model that answers with these pieces.</summary>
    public static ScriptedChatClient Saying(params string[] pieces) => new((_, _) => Pieces(pieces));

    public static async IAsyncEnumerable<string> Pieces(params string[] pieces)
    {
        await Task.Yield();
        foreach (string piece in pieces)
            yield return piece;
    }

    /// <summary>Starts an answer, then waits for cancellation.</summary>
    public static async IAsyncEnumerable<string> Endless(string beginning, Action onBegun, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        yield return beginning;
        onBegun();
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    public string? System { get; set; }

    public IAsyncEnumerable<GenerationEvent> SendAsync(UserMessage message, GenerationOptions options, CancellationToken cancellationToken) =>
        AnswerAsync(message, options, replacesLast: false, cancellationToken);

    public IAsyncEnumerable<GenerationEvent> RegenerateAsync(GenerationOptions options, CancellationToken cancellationToken) =>
        AnswerAsync(history[^1].Question, options, replacesLast: true, cancellationToken);

    public void StopAnswer() => stopping?.Cancel();

    public Task RestoreAsync(IReadOnlyList<ChatExchange> exchanges, CancellationToken cancellationToken)
    {
        history.Clear();
        history.AddRange(exchanges);
        return Task.CompletedTask;
    }

    public void Reset() => history.Clear();

    public void Dispose() => IsDisposed = true;

    private async IAsyncEnumerable<GenerationEvent> AnswerAsync(UserMessage message, GenerationOptions options, bool replacesLast, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LastOptions = options;
        using CancellationTokenSource source = stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        string text = "";
        bool isStopped = false;
        await using IAsyncEnumerator<string> pieces = answer(message, source.Token).GetAsyncEnumerator(source.Token);
        while (true)
        {
            try
            {
                if (!await pieces.MoveNextAsync())
                    break;
            }
            catch (OperationCanceledException) when (text.Length > 0 && !cancellationToken.IsCancellationRequested)
            {
                isStopped = true;
                break;
            }

            text += pieces.Current;
            if (pieces.Current.Length > 0)
                yield return new TextDelta(pieces.Current);
        }

        GenerationTimings timings = new()
        {
            ImageDecode = TimeSpan.FromMilliseconds(1), Vision = TimeSpan.FromMilliseconds(2), Prefill = TimeSpan.FromMilliseconds(3),
            Decode = TimeSpan.FromMilliseconds(4), DecodeSteps = 2,
        };
        GenerationResult result = new(text, isStopped ? FinishReason.Stopped : FinishReason, [5, 6, 7], options.Seed ?? 99, new TokenUsage(40, 36, 1, 3), timings);
        if (replacesLast)
            history.RemoveAt(history.Count - 1);
        history.Add(new ChatExchange(message, result));
        yield return new GenerationCompleted(result);
    }
}

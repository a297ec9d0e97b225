using System.Runtime.CompilerServices;
using XComposer2.Native.Composition;

namespace XComposer2.Native.UnitTests;

/// <summary>A model that says what the test tells it to, in pieces of three characters, and keeps what it was asked.</summary>
/// <param name="answer">To a prompt.</param>
internal sealed class ScriptedCompositionModel(Func<CompositionPrompt, string> answer) : ICompositionModel
{
    private readonly List<(CompositionPrompt Prompt, GenerationOptions Options)> asked = [];
    private int pieces;

    public IReadOnlyList<(CompositionPrompt Prompt, GenerationOptions Options)> Asked => asked;

    public string Name => "scripted model";

    public int ContextLength { get; init; } = 100_000;

    public FinishReason FinishReason { get; init; }

    public bool IsDisposed { get; private set; }

    /// <summary>Called with the number of pieces that were said, over all answers.</summary>
    public Action<int> OnPiece { get; init; } = static _ => { };

    /// <summary>Says no more from this piece on, but waits until it is cancelled.</summary>
    public int StopsAt { get; init; } = -1;

    /// <summary>A model that writes these sections, names these places, captions, and letters.</summary>
    public static ScriptedCompositionModel Of(string article, string places, string caption = "a picture\"。", string choice = ": B") => new(prompt => prompt.AnswerPrefix switch
    {
        "" => article,
        "适合插入图像的行是" => places,
        "标题是\"" => caption,
        _ => choice,
    });

    public int Measure(CompositionPrompt prompt) => prompt.Text.Length + (36 * prompt.Pictures.Count);

    public async IAsyncEnumerable<GenerationEvent> AnswerAsync(CompositionPrompt prompt, GenerationOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        asked.Add((prompt, options));
        await Task.Yield();
        string text = answer(prompt);
        foreach (char[] piece in text.Chunk(3))
        {
            cancellationToken.ThrowIfCancellationRequested();
            OnPiece(++pieces);
            if (pieces == StopsAt)
                await Task.Delay(Timeout.Infinite, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            yield return new TextDelta(new string(piece));
        }
        yield return new GenerationCompleted(new GenerationResult(text, FinishReason, [], options.Seed ?? 0, new TokenUsage(1, 0, 0, text.Length), new GenerationTimings()));
    }

    public void Dispose() => IsDisposed = true;
}

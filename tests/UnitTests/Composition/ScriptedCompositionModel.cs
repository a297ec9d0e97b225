using System.Runtime.CompilerServices;
using XComposer2.Native.Composition;

namespace XComposer2.Native.UnitTests;

/// <summary>A model that answers from a script, in pieces of three characters, and records its prompts.</summary>
/// <param name="answer">Returns the answer to a prompt.</param>
internal sealed class ScriptedCompositionModel(Func<CompositionPrompt, string> answer) : ICompositionModel
{
    private readonly List<(CompositionPrompt Prompt, GenerationOptions Options)> asked = [];
    private int pieces;

    public IReadOnlyList<(CompositionPrompt Prompt, GenerationOptions Options)> Asked => asked;

    public string Name => "scripted model";

    public string? EnglishPrompt { get; init; }

    public int ContextLength { get; init; } = 100_000;

    public FinishReason FinishReason { get; init; }

    public bool IsDisposed { get; private set; }

    /// <summary>Called with the number of pieces so far, over all answers.</summary>
    public Action<int> OnPiece { get; init; } = static _ => { };

    /// <summary>From this piece on, sends nothing and waits for cancellation.</summary>
    public int StopsAt { get; init; } = -1;

    /// <summary>A model with fixed answers for text, places, captions and choices.</summary>
    public static ScriptedCompositionModel Of(string article, string places, string caption = "a picture\"。", string choice = ": B") => new(prompt => prompt.AnswerPrefix switch
    {
        "" => article,
        "适合插入图像的行是" => places,
        "标题是\"" => caption,
        _ => choice,
    });

    public int Measure(CompositionPrompt prompt) => prompt.Text.Length + (36 * prompt.Pictures.Count);

    /// <summary>Scores of an answer's tokens if they are asked for; token IDs are code points.</summary>
    public Func<CompositionPrompt, IReadOnlyList<TokenScore>> Scores { get; init; } = static _ => [];

    public string TextOf(int tokenId) => char.ConvertFromUtf32(tokenId);

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
        yield return new GenerationCompleted(new GenerationResult(text, FinishReason, [], options.Seed ?? 0, new TokenUsage(1, 0, 0, text.Length), new GenerationTimings())
        {
            LogProbs = options.TopLogProbs > 0 ? Scores(prompt) : [],
        });
    }

    public void Dispose() => IsDisposed = true;
}

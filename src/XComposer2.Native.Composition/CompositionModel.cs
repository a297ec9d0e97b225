using System.Runtime.CompilerServices;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition;

/// <summary>What answers the pipeline's questions: an engine, or a script in tests.</summary>
internal interface ICompositionModel : IDisposable
{
    /// <summary>Its name, for the article: the checkpoint's, not how it is stored.</summary>
    string Name { get; }

    /// <summary>Positions that a sequence may have.</summary>
    int ContextLength { get; }

    /// <summary>Positions that a prompt takes.</summary>
    int Measure(CompositionPrompt prompt);

    /// <summary>Streams the answer to one prompt, which knows nothing of the one before.</summary>
    IAsyncEnumerable<GenerationEvent> AnswerAsync(CompositionPrompt prompt, GenerationOptions options, CancellationToken cancellationToken);
}

/// <summary>
/// An engine as the model of a composition. Each prompt is the only turn of its conversation; what it begins with like the one before
/// stays in the KV cache, and pictures are encoded once.
/// </summary>
internal sealed class EngineCompositionModel(XComposerEngine engine) : ICompositionModel
{
    private readonly ChatSession session = engine.CreateSession(new SessionOptions { PromptStyle = PromptStyle.Train.Name });
    private readonly ChatTemplate template = new(engine.Tokenizer, PromptStyle.Train);
    private readonly ConditionalWeakTable<ArticlePicture, ImageInput> inputs = [];

    public string Name => engine.Info.Model.Split(',')[0];

    public int ContextLength => engine.Info.ContextLength;

    public int Measure(CompositionPrompt prompt)
    {
        IReadOnlyList<PromptPiece> pieces = template.Render(null, [new ChatTurn(prompt.Text, prompt.Pictures.Count, null)], prompt.AnswerPrefix);
        return pieces.Sum(piece => piece.IsImage ? engine.Info.TokensPerImage : piece.Ids.Length);
    }

    public async IAsyncEnumerable<GenerationEvent> AnswerAsync(CompositionPrompt prompt, GenerationOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        session.Reset();
        ImageInput[] images = [.. prompt.Pictures.Select(picture => inputs.GetValue(picture, static made => ImageInput.FromBytes(made.Bytes, made.Name)))];
        var message = new UserMessage(prompt.Text, images) { AnswerPrefix = prompt.AnswerPrefix };
        await foreach (GenerationEvent next in session.SendAsync(message, options, cancellationToken).ConfigureAwait(false))
            yield return next;
    }

    public void Dispose() => session.Dispose();
}

/// <summary>One question of the composition pipeline: always the first and only turn of a conversation.</summary>
/// <param name="Text">Of the user; says <c>&lt;ImageHere&gt;</c> once for each picture.</param>
/// <param name="Pictures">In the order of their places.</param>
/// <param name="AnswerPrefix">What the answer begins with, already said.</param>
internal sealed record CompositionPrompt(string Text, IReadOnlyList<ArticlePicture> Pictures, string AnswerPrefix);

using System.Runtime.CompilerServices;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition;

/// <summary>The model behind the pipeline: an engine, or a script in tests.</summary>
internal interface ICompositionModel : IDisposable
{
    /// <summary>Name of the checkpoint, for the article.</summary>
    string Name { get; }

    /// <summary>Maximum length of a sequence in tokens.</summary>
    int ContextLength { get; }

    /// <summary>How the model is asked for an English article, <c>{title}</c> in the place of the title; null for the published wording.</summary>
    string? EnglishPrompt { get; }

    /// <summary>Length of a prompt in tokens.</summary>
    int Measure(CompositionPrompt prompt);

    /// <summary>The text of a token.</summary>
    string TextOf(int tokenId);

    /// <summary>Streams the answer to one prompt. Prompts are independent of each other.</summary>
    IAsyncEnumerable<GenerationEvent> AnswerAsync(CompositionPrompt prompt, GenerationOptions options, CancellationToken cancellationToken);
}

/// <summary>
/// The engine as the model of a composition. Each prompt is the only turn of its conversation. The prefix shared with the previous prompt
/// stays in the KV cache, and each picture is encoded once.
/// </summary>
internal sealed class EngineCompositionModel(XComposerEngine engine, bool hasMeta) : ICompositionModel
{
    // The demo's text ends with a line end.
    private const string MetaText = SystemTexts.Composition + "\n";

    private readonly ChatSession session = engine.CreateSession(new SessionOptions { PromptStyle = PromptStyle.Train.Name, System = hasMeta ? MetaText : null, MayBeLong = true });
    private readonly ChatTemplate template = new(engine.Tokenizer, PromptStyle.Train);
    private readonly ConditionalWeakTable<ArticlePicture, ImageInput> inputs = [];

    public string Name => engine.Info.Model.Split(',')[0];

    public string? EnglishPrompt => engine.Config.ArticlePrompt;

    public int ContextLength => engine.Info.ContextLength;

    public int Measure(CompositionPrompt prompt)
    {
        IReadOnlyList<PromptPiece> pieces = template.Render(hasMeta ? MetaText : null, [new ChatTurn(prompt.Text, prompt.Pictures.Count, null)], prompt.AnswerPrefix);
        return pieces.Sum(piece => piece.IsImage ? engine.Info.TokensPerImage : piece.Ids.Length);
    }

    public string TextOf(int tokenId) => engine.Tokenizer.Decode([tokenId]);

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

/// <summary>One prompt of the composition pipeline: always the first and only turn of a conversation.</summary>
/// <param name="Text">The user's text, with one <c>&lt;ImageHere&gt;</c> for each picture.</param>
/// <param name="Pictures">In the order of their placeholders.</param>
/// <param name="AnswerPrefix">Fixed beginning of the answer.</param>
internal sealed record CompositionPrompt(string Text, IReadOnlyList<ArticlePicture> Pictures, string AnswerPrefix)
{
    /// <summary>The repetition penalty applies to the prompt too: where the original gives generate() ids, not embeddings.</summary>
    public bool IsPenalized { get; init; }
}

using System.Runtime.CompilerServices;

namespace XComposer2.Native.Composition;

/// <summary>
/// Writes and edits illustrated articles. Each step takes an article and returns one, so it can run alone or again with another seed.
/// Before a step fails or is cancelled, it has reported the article so far (<see cref="ArticleChanged"/>). One step at a time.
/// </summary>
public sealed class ArticleComposer : IDisposable
{
    private readonly ICompositionModel model;
    private readonly WritingStep writing;
    private readonly PlacingStep placing;
    private readonly CaptionStep captions;
    private readonly IllustrationStep illustration;
    private readonly EditingStep editing;
    private readonly DescriptionStep descriptions;
    private readonly OutlineStep outlines;

    /// <param name="engine">Not owned; must outlive the composer. The prompts are made for the composition checkpoint; others work with lower quality.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="EngineException">An option is out of range.</exception>
    public ArticleComposer(XComposerEngine engine, ComposerOptions? options = null)
        : this(new EngineCompositionModel(engine ?? throw new ArgumentNullException(nameof(engine)), options?.Meta ?? false), options)
    {
    }

    internal ArticleComposer(ICompositionModel model, ComposerOptions? options)
    {
        options ??= new ComposerOptions();
        options.Require();
        this.model = model;
        var questions = new ModelQuestions(model, options);
        writing = new WritingStep(questions);
        placing = new PlacingStep(questions);
        captions = new CaptionStep(questions);
        illustration = new IllustrationStep(questions);
        editing = new EditingStep(questions);
        descriptions = new DescriptionStep(questions);
        outlines = new OutlineStep(questions);
    }

    /// <summary>How this model is asked for an English article, for <see cref="ArticleInstruction.Of"/>; null for the published wording.</summary>
    public string? EnglishPrompt => model.EnglishPrompt;

    /// <summary>Runs all steps: text, places, captions, pictures.</summary>
    /// <param name="request">The article to write.</param>
    /// <param name="source">Picture source; null for none. Not used if the user supplies pictures.</param>
    /// <param name="cancellationToken">Stops the current step within one token.</param>
    /// <exception cref="EngineException">The request is invalid, or the model returned no text.</exception>
    public IAsyncEnumerable<CompositionEvent> ComposeAsync(ArticleRequest request, PictureSource? source = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Figures == 0 || (request.OwnPictures.Count == 0 && source is null))
            return WriteAsync(request, cancellationToken);
        return Chain(null, WriteAsync(request, cancellationToken), cancellationToken, article => FiguresAsync(article, request.Figures, source, article.Seed, cancellationToken));
    }

    /// <summary>Runs all steps after the text: adds figures to an article or replaces them.</summary>
    /// <param name="article">An article with text.</param>
    /// <param name="figures">Maximum number of figures: null, <see cref="ArticleRequest.AutomaticFigures"/> or 1 and more, as in <see cref="ArticleRequest.Figures"/>.</param>
    /// <param name="source">Picture source. Not used if the user supplies pictures.</param>
    /// <param name="seed">A different seed may give different figures.</param>
    /// <param name="cancellationToken">Stops the current step.</param>
    /// <exception cref="EngineException">There are neither own pictures nor a source.</exception>
    public IAsyncEnumerable<CompositionEvent> FiguresAsync(Article article, int? figures, PictureSource? source, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return FiguresAsync(article, 0, figures, source, seed, cancellationToken);
    }

    /// <summary>Writes an outline, for a person to confirm or change before the text is written with <see cref="ArticleInstruction.Of"/>.</summary>
    /// <param name="title">Subject; not empty.</param>
    /// <param name="material">Source texts; may be empty.</param>
    /// <param name="seed">A different seed may give a different outline.</param>
    /// <param name="cancellationToken">Stops the step.</param>
    /// <returns>One point per entry; at least one.</returns>
    /// <exception cref="ArgumentException">The title is empty.</exception>
    /// <exception cref="EngineException">The model returned no outline, or the material does not fit into the context.</exception>
    public Task<IReadOnlyList<string>> OutlineAsync(string title, IReadOnlyList<string> material, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
        ArgumentNullException.ThrowIfNull(material);
        return outlines.RunAsync(title, material, seed, cancellationToken);
    }

    /// <summary>Writes the text only.</summary>
    /// <exception cref="EngineException">The request is invalid, or the model returned no text.</exception>
    public IAsyncEnumerable<CompositionEvent> WriteAsync(ArticleRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return writing.RunAsync(request, cancellationToken);
    }

    /// <summary>Chooses places for figures; existing figures are removed.</summary>
    /// <param name="article">An article with text.</param>
    /// <param name="figures">Maximum number of figures; null leaves it to the model.</param>
    /// <param name="seed">A different seed may give different places.</param>
    /// <param name="cancellationToken">Stops the step.</param>
    public IAsyncEnumerable<CompositionEvent> PlaceAsync(Article article, int? figures, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return placing.RunAsync(article, figures, seed, cancellationToken);
    }

    /// <summary>Writes captions for all places.</summary>
    public IAsyncEnumerable<CompositionEvent> CaptionAsync(Article article, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return captions.RunAsync(article, seed, cancellationToken);
    }

    /// <summary>Finds a picture for each figure in a source; no picture is used twice.</summary>
    public IAsyncEnumerable<CompositionEvent> IllustrateAsync(Article article, PictureSource source, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(source);
        return illustration.SearchAsync(article, source, seed, cancellationToken);
    }

    /// <summary>Assigns the user's own pictures to figures, each at most once.</summary>
    public IAsyncEnumerable<CompositionEvent> AssignOwnAsync(Article article, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return illustration.AssignOwnAsync(article, seed, cancellationToken);
    }

    /// <summary>Writes caption and alternative text of all figures that lack one of them, from the pictures themselves: of the user's own pictures.</summary>
    public IAsyncEnumerable<CompositionEvent> DescribeAsync(Article article, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return descriptions.RunAsync(article, null, seed, cancellationToken);
    }

    /// <summary>Writes caption and alternative text of one figure anew.</summary>
    /// <exception cref="EngineException">There is no such section, or it has no figure.</exception>
    public IAsyncEnumerable<CompositionEvent> DescribeAsync(Article article, int section, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        _ = article.RequireFigure(section);
        return descriptions.RunAsync(article, section, seed, cancellationToken);
    }

    /// <summary>Repeats the choice among the candidates of one figure.</summary>
    /// <exception cref="EngineException">There is no such section, or it has no figure.</exception>
    public IAsyncEnumerable<CompositionEvent> ChooseAsync(Article article, int section, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return illustration.ChooseAgainAsync(article, section, seed, cancellationToken);
    }

    /// <summary>Searches a picture for the figure of one section, adding the figure if necessary, and chooses.</summary>
    /// <param name="article">The article.</param>
    /// <param name="section">From 0.</param>
    /// <param name="caption">Search text; empty for the existing caption or, without one, the section's text.</param>
    /// <param name="source">Picture source.</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <param name="cancellationToken">Stops the step.</param>
    /// <exception cref="EngineException">There is no such section, or nothing was found.</exception>
    public IAsyncEnumerable<CompositionEvent> FindAsync(
        Article article, int section, string caption, PictureSource source, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(caption);
        ArgumentNullException.ThrowIfNull(source);
        return illustration.SearchAgainAsync(article, section, caption, source, seed, cancellationToken);
    }

    /// <summary>Rewrites, expands or abbreviates a section, or inserts one beside it. The section's figure is kept.</summary>
    /// <param name="article">The article.</param>
    /// <param name="section">From 0.</param>
    /// <param name="edit">The edit.</param>
    /// <param name="instruction">Material for the text; for an insertion its outline, which must not be empty; ignored for an abbreviation.</param>
    /// <param name="seed">A different seed may give a different text.</param>
    /// <param name="cancellationToken">Stops the step; the article is unchanged.</param>
    /// <exception cref="EngineException">There is no such section, the outline is empty, or the model returned no text.</exception>
    public IAsyncEnumerable<CompositionEvent> EditAsync(
        Article article, int section, SectionEdit edit, string instruction, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(instruction);
        return editing.RunAsync(article, section, edit, instruction, seed, cancellationToken);
    }

    /// <summary>Makes a change that needs the model.</summary>
    /// <param name="article">The article.</param>
    /// <param name="edit">Fulfils <see cref="ArticleEdit.Require"/>.</param>
    /// <param name="source">For operations that search; null for none.</param>
    /// <param name="seed">A different seed may give a different change.</param>
    /// <param name="cancellationToken">Stops the step; the article is unchanged.</param>
    /// <exception cref="EngineException">The article lacks what the change names, a source is missing, or the step gave nothing usable.</exception>
    /// <exception cref="ArgumentException">The operation does not ask the model.</exception>
    public IAsyncEnumerable<CompositionEvent> ApplyAsync(Article article, ArticleEdit edit, PictureSource? source, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(edit);
        int index = (edit.Section ?? 0) - 1;
        return edit.Operation switch
        {
            ArticleOperation.ChooseFigure => ChooseAsync(article, index, seed, cancellationToken),
            ArticleOperation.SetCaption => DescribeAsync(article, index, seed, cancellationToken),
            ArticleOperation.Illustrate => FiguresAsync(article, edit.Figures, source, seed, cancellationToken),
            ArticleOperation.FindFigure => FindAsync(article, index, edit.Caption ?? "", source ?? throw new EngineException("a search needs a source of pictures"), seed, cancellationToken),
            _ when ArticleEdit.SectionEditOf(edit.Operation) is { } change => EditAsync(article, index, change, edit.Instruction ?? "", seed, cancellationToken),
            _ => throw new ArgumentException($"{ArticleEdit.NameOf(edit.Operation)} does not ask the model", nameof(edit)),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => model.Dispose();

    /// <summary>Runs the steps after the text that an interrupted composition has not finished.</summary>
    /// <param name="article">The article as the last finished step left it.</param>
    /// <param name="finished">How many of the three steps were finished: places, then captions and pictures, or own pictures and their texts.</param>
    /// <param name="figures">As in the public method.</param>
    /// <param name="source">Picture source.</param>
    /// <param name="seed">The article's.</param>
    /// <param name="cancellationToken">Stops the current step.</param>
    /// <exception cref="EngineException">There are neither own pictures nor a source.</exception>
    internal IAsyncEnumerable<CompositionEvent> FiguresAsync(Article article, int finished, int? figures, PictureSource? source, ulong seed, CancellationToken cancellationToken)
    {
        EngineException.ThrowUnless(figures is null or ArticleRequest.AutomaticFigures or (>= 1 and <= ArticleRequest.MaximumFigures), "figures", $"1 to {ArticleRequest.MaximumFigures}", figures);
        bool hasOwn = article.OwnPictures.Count > 0;
        if (!hasOwn && source is null)
            throw new EngineException("figures need pictures: the article has no own pictures, and no source is given");
        bool isAutomatic = figures is null or ArticleRequest.AutomaticFigures;
        int? wanted = hasOwn ? isAutomatic ? article.OwnPictures.Count : Math.Min(figures!.Value, article.OwnPictures.Count)
            : figures == ArticleRequest.AutomaticFigures ? (int?)null : figures ?? ArticleRequest.DefaultFigures;
        Func<Article, IAsyncEnumerable<CompositionEvent>>[] steps = hasOwn
            ? [text => PlaceAsync(text, wanted, seed, cancellationToken), placed => AssignOwnAsync(placed, seed, cancellationToken), assigned => DescribeAsync(assigned, seed, cancellationToken)]
            : [text => PlaceAsync(text, wanted, seed, cancellationToken), placed => CaptionAsync(placed, seed, cancellationToken), captioned => IllustrateAsync(captioned, source!, seed, cancellationToken)];
        return Chain(article, steps[finished](article), cancellationToken, steps[(finished + 1)..]);
    }

    private static async IAsyncEnumerable<CompositionEvent> Chain(
        Article? article, IAsyncEnumerable<CompositionEvent> first, [EnumeratorCancellation] CancellationToken cancellationToken, params Func<Article, IAsyncEnumerable<CompositionEvent>>[] rest)
    {
        IAsyncEnumerable<CompositionEvent> step = first;
        for (int done = 0; ; done++)
        {
            await foreach (CompositionEvent next in step.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                article = (next as ArticleChanged)?.Article ?? article;
                yield return next;
            }

            if (done == rest.Length)
                yield break;
            step = rest[done](article!);
        }
    }
}

/// <summary>Options of the model's requests. The defaults are those of the original composition demo.</summary>
public sealed record ComposerOptions
{
    /// <summary>Sampling of every step. Its lengths, seed and stop texts are ignored; each step sets its own.</summary>
    public GenerationOptions Sampling { get; init; } = new() { Temperature = 1, TopP = 0.8f, TopK = 40, RepetitionPenalty = 1.005f };

    /// <summary>Maximum article length in tokens.</summary>
    public int MaxArticleTokens { get; init; } = 4096;

    /// <summary>Precedes every prompt with the system text of the composition model ("With Meta" in the original demo, where it is off by default).</summary>
    public bool Meta { get; init; }

    /// <summary>
    /// Maximum length of an edited or inserted section in tokens. The original subtracts the prompt's length from its 500, which leaves nothing for a long section.
    /// </summary>
    public int MaxEditTokens { get; init; } = 500;

    /// <summary>Pictures to request from a source for each figure; the model chooses among them. 1 to 10.</summary>
    public int Candidates { get; init; } = 4;

    /// <summary>Limit for places and captions.</summary>
    internal const int MaxLineTokens = 200;

    /// <summary>Limit for the choice among candidates.</summary>
    internal const int MaxChoiceTokens = 10;

    /// <exception cref="EngineException">An option is out of range.</exception>
    internal void Require()
    {
        GenerationChecks.Require(Sampling);
        EngineException.ThrowUnless(MaxArticleTokens >= 1, "max article tokens", "1 or more", MaxArticleTokens);
        EngineException.ThrowUnless(MaxEditTokens >= 1, "max edit tokens", "1 or more", MaxEditTokens);
        EngineException.ThrowUnless(Candidates is >= 1 and <= ArticleRequest.MaximumOwnPictures, "candidates", $"1 to {ArticleRequest.MaximumOwnPictures}", Candidates);
    }
}

using System.Runtime.CompilerServices;

namespace XComposer2.Native.Composition;

/// <summary>
/// Writes illustrated articles and edits them. Each step takes an article and gives one, so that it can run alone, or again with another
/// seed. A step that fails or is cancelled has reported the article so far (<see cref="ArticleChanged"/>). One step at a time.
/// </summary>
public sealed class ArticleComposer : IDisposable
{
    private readonly ICompositionModel model;
    private readonly WritingStep writing;
    private readonly PlacingStep placing;
    private readonly CaptionStep captions;
    private readonly IllustrationStep illustration;
    private readonly EditingStep editing;

    /// <param name="engine">Not owned; must outlive this. The composition checkpoint is meant for it; any other answers as it can.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="EngineException">An option is out of range.</exception>
    public ArticleComposer(XComposerEngine engine, ComposerOptions? options = null)
        : this(new EngineCompositionModel(engine ?? throw new ArgumentNullException(nameof(engine))), options)
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
    }

    /// <summary>All steps: text, places, captions, pictures.</summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="source">Searched for pictures; null for none. Not asked where the user has pictures of his own.</param>
    /// <param name="cancellationToken">Ends the step in progress within one token.</param>
    /// <exception cref="EngineException">The request cannot be carried out, or the model wrote nothing.</exception>
    public IAsyncEnumerable<CompositionEvent> ComposeAsync(ArticleRequest request, PictureSource? source = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Figures == 0 || (request.OwnPictures.Count == 0 && source is null))
            return WriteAsync(request, cancellationToken);
        return Chain(WriteAsync(request, cancellationToken), cancellationToken, article => FiguresAsync(article, request.Figures, source, article.Seed, cancellationToken));
    }

    /// <summary>All steps after the text: figures for an article that has none, or others in their place.</summary>
    /// <param name="article">With its text.</param>
    /// <param name="figures">How many at most; null leaves it to the model, or is the number of own pictures where there are any.</param>
    /// <param name="source">Searched for pictures; not asked where the user has pictures of his own.</param>
    /// <param name="seed">Another one may give other figures.</param>
    /// <param name="cancellationToken">Ends the step in progress.</param>
    /// <exception cref="EngineException">There are neither own pictures nor a source.</exception>
    public IAsyncEnumerable<CompositionEvent> FiguresAsync(Article article, int? figures, PictureSource? source, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        EngineException.ThrowUnless(figures is null or (>= 1 and <= ArticleRequest.MaximumFigures), "figures", $"1 to {ArticleRequest.MaximumFigures}", figures);
        if (article.OwnPictures.Count > 0)
        {
            int own = Math.Min(figures ?? int.MaxValue, article.OwnPictures.Count);
            return Chain(PlaceAsync(article, own, seed, cancellationToken), cancellationToken, placed => AssignOwnAsync(placed, seed, cancellationToken));
        }

        if (source is null)
            throw new EngineException("figures need pictures: the article has none of the user's own, and no source is given");
        return Chain(PlaceAsync(article, figures, seed, cancellationToken), cancellationToken,
            placed => CaptionAsync(placed, seed, cancellationToken),
            captioned => IllustrateAsync(captioned, source, seed, cancellationToken));
    }

    /// <summary>The text alone.</summary>
    /// <exception cref="EngineException">The request cannot be carried out, or the model wrote nothing.</exception>
    public IAsyncEnumerable<CompositionEvent> WriteAsync(ArticleRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return writing.RunAsync(request, cancellationToken);
    }

    /// <summary>Places for figures; those that the article had are forgotten.</summary>
    /// <param name="article">With its text.</param>
    /// <param name="figures">How many at most; null leaves it to the model.</param>
    /// <param name="seed">Another one may give other places.</param>
    /// <param name="cancellationToken">Ends the step.</param>
    public IAsyncEnumerable<CompositionEvent> PlaceAsync(Article article, int? figures, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return placing.RunAsync(article, figures, seed, cancellationToken);
    }

    /// <summary>Captions for all places.</summary>
    public IAsyncEnumerable<CompositionEvent> CaptionAsync(Article article, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return captions.RunAsync(article, seed, cancellationToken);
    }

    /// <summary>A picture from a source for each figure; no picture twice.</summary>
    public IAsyncEnumerable<CompositionEvent> IllustrateAsync(Article article, PictureSource source, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(source);
        return illustration.SearchAsync(article, source, seed, cancellationToken);
    }

    /// <summary>One of the user's own pictures for each figure, each once.</summary>
    public IAsyncEnumerable<CompositionEvent> AssignOwnAsync(Article article, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return illustration.AssignOwnAsync(article, seed, cancellationToken);
    }

    /// <summary>Chooses again among the candidates of one figure.</summary>
    /// <exception cref="EngineException">There is no such section, or it has no figure.</exception>
    public IAsyncEnumerable<CompositionEvent> ChooseAsync(Article article, int section, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        return illustration.ChooseAgainAsync(article, section, seed, cancellationToken);
    }

    /// <summary>Searches for a figure of one section, which need not have had one, and chooses.</summary>
    /// <param name="article">The article.</param>
    /// <param name="section">From 0.</param>
    /// <param name="caption">What to search for; empty for the caption that it has, or its section.</param>
    /// <param name="source">Searched.</param>
    /// <param name="seed">Of the choice.</param>
    /// <param name="cancellationToken">Ends the step.</param>
    /// <exception cref="EngineException">There is no such section, or nothing was found.</exception>
    public IAsyncEnumerable<CompositionEvent> FindAsync(
        Article article, int section, string caption, PictureSource source, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(caption);
        ArgumentNullException.ThrowIfNull(source);
        return illustration.SearchAgainAsync(article, section, caption, source, seed, cancellationToken);
    }

    /// <summary>Has a section rewritten, expanded or abbreviated, or one written beside it. Its figure stays.</summary>
    /// <param name="article">The article.</param>
    /// <param name="section">From 0.</param>
    /// <param name="edit">What to do.</param>
    /// <param name="instruction">Material to write from; for an insertion its outline, which must not be empty; not used to abbreviate.</param>
    /// <param name="seed">Another one may give another text.</param>
    /// <param name="cancellationToken">Ends the step; the article is as it was.</param>
    /// <exception cref="EngineException">There is no such section, the outline is empty, or the model wrote nothing.</exception>
    public IAsyncEnumerable<CompositionEvent> EditAsync(
        Article article, int section, SectionEdit edit, string instruction, ulong seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(instruction);
        return editing.RunAsync(article, section, edit, instruction, seed, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => model.Dispose();

    private static async IAsyncEnumerable<CompositionEvent> Chain(
        IAsyncEnumerable<CompositionEvent> first, [EnumeratorCancellation] CancellationToken cancellationToken, params Func<Article, IAsyncEnumerable<CompositionEvent>>[] rest)
    {
        Article? article = null;
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

/// <summary>How a composer asks the model. The defaults are those of the original composition demo.</summary>
public sealed record ComposerOptions
{
    /// <summary>Of every step; its lengths, seed and stop texts are not used, the steps have their own.</summary>
    public GenerationOptions Sampling { get; init; } = new() { Temperature = 1, TopP = 0.8f, TopK = 40, RepetitionPenalty = 1.005f };

    /// <summary>Longest article in tokens.</summary>
    public int MaxArticleTokens { get; init; } = 4096;

    /// <summary>
    /// Longest edited or inserted section in tokens. The original takes the prompt's length away from its 500, which leaves nothing to a long section.
    /// </summary>
    public int MaxEditTokens { get; init; } = 500;

    /// <summary>Pictures that a source is asked for, for each figure; the model chooses among them. 1 to 10.</summary>
    public int Candidates { get; init; } = 4;

    /// <summary>Places and captions.</summary>
    internal const int MaxLineTokens = 200;

    /// <summary>The choice among candidates.</summary>
    internal const int MaxChoiceTokens = 10;

    /// <exception cref="EngineException">One is out of range.</exception>
    internal void Require()
    {
        GenerationChecks.Require(Sampling);
        EngineException.ThrowUnless(MaxArticleTokens >= 1, "max article tokens", "1 or more", MaxArticleTokens);
        EngineException.ThrowUnless(MaxEditTokens >= 1, "max edit tokens", "1 or more", MaxEditTokens);
        EngineException.ThrowUnless(Candidates is >= 1 and <= ArticleRequest.MaximumOwnPictures, "candidates", $"1 to {ArticleRequest.MaximumOwnPictures}", Candidates);
    }
}

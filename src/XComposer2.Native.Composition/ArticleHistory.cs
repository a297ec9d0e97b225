namespace XComposer2.Native.Composition;

/// <summary>The undo history of an article. Immutable: each method returns a new history.</summary>
public sealed class ArticleHistory
{
    /// <summary>Maximum number of states; the oldest are dropped.</summary>
    public const int MaximumStates = 100;

    private ArticleHistory(IReadOnlyList<ArticleState> states, int currentIndex)
    {
        States = states;
        CurrentIndex = currentIndex;
    }

    /// <summary>Oldest first; at least one. States after <see cref="CurrentIndex"/> have been undone.</summary>
    public IReadOnlyList<ArticleState> States { get; }

    /// <summary>Index of the current state.</summary>
    public int CurrentIndex { get; }

    /// <summary>The current article.</summary>
    public Article Current => States[CurrentIndex].Article;

    /// <summary>Starts a history.</summary>
    /// <param name="article">The composed article.</param>
    /// <param name="change">Description of the first state.</param>
    /// <exception cref="ArgumentException">The description is empty.</exception>
    public static ArticleHistory Begin(Article article, string change = "compose")
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentException.ThrowIfNullOrWhiteSpace(change);
        return new ArticleHistory([new ArticleState(change, article)], 0);
    }

    /// <summary>Adds a change and discards all undone states.</summary>
    /// <exception cref="ArgumentException">The description is empty.</exception>
    public ArticleHistory Apply(string change, Article article)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(change);
        ArgumentNullException.ThrowIfNull(article);
        ArticleState[] states = [.. States.Take(CurrentIndex + 1), new ArticleState(change, article)];
        states = states[Math.Max(0, states.Length - MaximumStates)..];
        return new ArticleHistory(states, states.Length - 1);
    }

    /// <summary>Goes back one change.</summary>
    /// <exception cref="EngineException">There is no change to undo.</exception>
    public ArticleHistory Undo() => CurrentIndex > 0 ? new ArticleHistory(States, CurrentIndex - 1) : throw new EngineException("there is no change to undo");

    /// <summary>Goes forward to the change undone last.</summary>
    /// <exception cref="EngineException">There is no change to redo.</exception>
    public ArticleHistory Redo() =>
        CurrentIndex + 1 < States.Count ? new ArticleHistory(States, CurrentIndex + 1) : throw new EngineException("there is no change to redo");

    /// <summary>Stores the pictures of all states as the options say, for example those of an article from elsewhere, which may have metadata.</summary>
    /// <remarks>From a picture that cannot be decoded only metadata is removed.</remarks>
    public ArticleHistory WithPictures(PictureOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Dictionary<ArticlePicture, ArticlePicture> prepared = [];
        return new ArticleHistory([.. States.Select(state => state with { Article = Prepare(state.Article) })], CurrentIndex);

        Article Prepare(Article article) => article with
        {
            Pictures = options,
            OwnPictures = [.. article.OwnPictures.Select(Replace)],
            Sections = [.. article.Sections.Select(section => section.Figure is { } figure ? section with { Figure = figure with { Candidates = [.. figure.Candidates.Select(Replace)] } } : section)],
        };

        ArticlePicture Replace(ArticlePicture picture)
        {
            if (!prepared.TryGetValue(picture, out ArticlePicture? replacement))
                prepared.Add(picture, replacement = picture.Prepared(options));
            return replacement;
        }
    }

    /// <summary>Restores a stored history.</summary>
    internal static ArticleHistory Restore(IReadOnlyList<ArticleState> states, int currentIndex) => new(states, currentIndex);
}

/// <summary>The article after a change.</summary>
/// <param name="Change">Description of the change, for example "rewrite section 2".</param>
/// <param name="Article">The article in this state.</param>
public sealed record ArticleState(string Change, Article Article);

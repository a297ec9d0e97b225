namespace XComposer2.Native.Composition;

/// <summary>An article and what it was before, so that changes can be undone and done again. Immutable: each of its methods gives another history.</summary>
public sealed class ArticleHistory
{
    /// <summary>States that are kept; the oldest are dropped.</summary>
    public const int MaximumStates = 100;

    private ArticleHistory(IReadOnlyList<ArticleState> states, int currentIndex)
    {
        States = states;
        CurrentIndex = currentIndex;
    }

    /// <summary>Oldest first; at least one. Those after <see cref="CurrentIndex"/> were undone.</summary>
    public IReadOnlyList<ArticleState> States { get; }

    /// <summary>The state that is shown.</summary>
    public int CurrentIndex { get; }

    /// <summary>The article that is shown.</summary>
    public Article Current => States[CurrentIndex].Article;

    /// <summary>Begins a history.</summary>
    /// <param name="article">As it was composed.</param>
    /// <param name="change">What made it.</param>
    public static ArticleHistory Begin(Article article, string change = "compose")
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentException.ThrowIfNullOrWhiteSpace(change);
        return new ArticleHistory([new ArticleState(change, article)], 0);
    }

    /// <summary>After one change more. What was undone before can no longer be done again.</summary>
    public ArticleHistory Apply(string change, Article article)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(change);
        ArgumentNullException.ThrowIfNull(article);
        ArticleState[] states = [.. States.Take(CurrentIndex + 1), new ArticleState(change, article)];
        states = states[Math.Max(0, states.Length - MaximumStates)..];
        return new ArticleHistory(states, states.Length - 1);
    }

    /// <summary>Before the last change.</summary>
    /// <exception cref="EngineException">There is none.</exception>
    public ArticleHistory Undo() => CurrentIndex > 0 ? new ArticleHistory(States, CurrentIndex - 1) : throw new EngineException("there is no change to undo");

    /// <summary>After the change that was undone last.</summary>
    /// <exception cref="EngineException">There is none.</exception>
    public ArticleHistory Redo() =>
        CurrentIndex + 1 < States.Count ? new ArticleHistory(States, CurrentIndex + 1) : throw new EngineException("there is no change to do again");

    /// <summary>As it was stored.</summary>
    internal static ArticleHistory Restore(IReadOnlyList<ArticleState> states, int currentIndex) => new(states, currentIndex);
}

/// <summary>The article after one change.</summary>
/// <param name="Change">What was done, in words, for example "rewrite section 2".</param>
/// <param name="Article">As it was then.</param>
public sealed record ArticleState(string Change, Article Article);

namespace XComposer2.Native.Composition;

/// <summary>For callers who want the article and not its making.</summary>
public static class CompositionEvents
{
    /// <summary>Waits for the last article.</summary>
    public static async Task<Article> ToArticleAsync(this IAsyncEnumerable<CompositionEvent> events, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        Article? article = null;
        await foreach (CompositionEvent next in events.WithCancellation(cancellationToken).ConfigureAwait(false))
            article = (next as ArticleChanged)?.Article ?? article;
        return article ?? throw new EngineException("the step ended without an article");
    }
}

/// <summary>What a running composition reports. The last <see cref="ArticleChanged"/> has the article so far, also where the rest fails or is cancelled.</summary>
public abstract record CompositionEvent;

/// <summary>Work on a step begins.</summary>
/// <param name="Step">Which.</param>
/// <param name="Number">Of how many like it, from 1.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Subject">What it is about, in the article's words; empty where there is nothing to say.</param>
public sealed record StepStarted(CompositionStep Step, int Number, int Total, string Subject = "") : CompositionEvent;

/// <summary>More text of the article, or of the section that is edited, as the model writes it. Never cuts a character.</summary>
/// <param name="Text">Not empty.</param>
public sealed record TextWritten(string Text) : CompositionEvent;

/// <summary>There is more of the article: a section, a place, a caption, a figure, or a note.</summary>
/// <param name="Article">All of it so far.</param>
public sealed record ArticleChanged(Article Article) : CompositionEvent;

/// <summary>A step on the way to an illustrated article.</summary>
public enum CompositionStep
{
    /// <summary>The text is written.</summary>
    Write,

    /// <summary>The model says after which sections figures belong.</summary>
    Place,

    /// <summary>The model says what each figure is to show.</summary>
    Caption,

    /// <summary>A source is searched for pictures of a caption.</summary>
    Search,

    /// <summary>The model chooses among candidates.</summary>
    Choose,

    /// <summary>One section is edited.</summary>
    Edit,
}

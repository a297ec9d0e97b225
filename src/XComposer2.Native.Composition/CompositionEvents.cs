namespace XComposer2.Native.Composition;

/// <summary>Extensions for callers that need only the final article.</summary>
public static class CompositionEvents
{
    /// <summary>Waits for the last event and returns its article.</summary>
    /// <exception cref="EngineException">The events held no article.</exception>
    public static async Task<Article> ToArticleAsync(this IAsyncEnumerable<CompositionEvent> events, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        Article? article = null;
        await foreach (CompositionEvent next in events.WithCancellation(cancellationToken).ConfigureAwait(false))
            article = (next as ArticleChanged)?.Article ?? article;
        return article ?? throw new EngineException("the step ended without an article");
    }
}

/// <summary>A progress report of a composition. The last <see cref="ArticleChanged"/> holds the article so far, even after a failure or cancellation.</summary>
public abstract record CompositionEvent;

/// <summary>A step begins.</summary>
/// <param name="Step">Kind of step.</param>
/// <param name="Number">Number among the steps of this kind, from 1.</param>
/// <param name="Total">Total number of steps of this kind.</param>
/// <param name="Subject">Subject of the step, quoted from the article; may be empty.</param>
public sealed record StepStarted(CompositionStep Step, int Number, int Total, string Subject = "") : CompositionEvent;

/// <summary>New text of the article or of the edited section, as the model writes it. Never splits a character.</summary>
/// <param name="Text">Not empty.</param>
public sealed record TextWritten(string Text) : CompositionEvent;

/// <summary>The article changed: a section, a place, a caption, a figure or a note was added.</summary>
/// <param name="Article">The whole article so far.</param>
public sealed record ArticleChanged(Article Article) : CompositionEvent;

/// <summary>A step of a composition.</summary>
public enum CompositionStep
{
    /// <summary>Writing the text.</summary>
    Write,

    /// <summary>Choosing the sections that figures follow.</summary>
    Place,

    /// <summary>Writing the caption of each figure.</summary>
    Caption,

    /// <summary>Searching a source for pictures of a caption.</summary>
    Search,

    /// <summary>Choosing among candidates.</summary>
    Choose,

    /// <summary>Editing one section.</summary>
    Edit,

    /// <summary>Writing an outline, before the text.</summary>
    Outline,
}

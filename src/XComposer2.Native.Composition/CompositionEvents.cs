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

using System.Runtime.CompilerServices;

namespace XComposer2.Native.Composition;

/// <summary>A picture for each figure, in the order of the article: searched for in a source, or from the user's own.</summary>
internal sealed class IllustrationStep(ModelQuestions questions)
{
    private readonly PictureChoice choice = new(questions);
    private readonly PictureSearch search = new(questions.Options.Candidates);

    /// <summary>Searches a source; a figure for which nothing is found is dropped.</summary>
    public async IAsyncEnumerable<CompositionEvent> SearchAsync(Article article, PictureSource source, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int[] places = article.FigurePlaces();
        article = WithoutPictures(article, places);
        for (int i = 0; i < places.Length; i++)
        {
            int place = places[i];
            string caption = Query(article, place);
            yield return new StepStarted(CompositionStep.Search, i + 1, places.Length, caption);
            article = await search.RunAsync(article, place, caption, source, cancellationToken).ConfigureAwait(false);
            if (article.Sections[place].Figure!.Candidates.Count == 0)
            {
                article = article.WithoutFigure(place);
                yield return new ArticleChanged(article);
                continue;
            }

            yield return new ArticleChanged(article);
            yield return new StepStarted(CompositionStep.Choose, i + 1, places.Length, caption);
            article = await choice.RunAsync(article, place, seed, cancellationToken).ConfigureAwait(false);
            yield return new ArticleChanged(article);
        }
    }

    /// <summary>Gives each of the user's pictures at most one place; places that are left over are dropped.</summary>
    public async IAsyncEnumerable<CompositionEvent> AssignOwnAsync(Article article, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int[] places = article.FigurePlaces();
        article = WithoutPictures(article, places);
        var left = article.OwnPictures.DistinctBy(picture => picture.FileName).ToList();
        for (int i = 0; i < places.Length; i++)
        {
            if (left.Count == 0)
            {
                article = article.WithoutFigure(places[i]);
                continue;
            }

            yield return new StepStarted(CompositionStep.Choose, i + 1, places.Length);
            article = article.WithFigure(places[i], article.Sections[places[i]].Figure! with { Candidates = [.. left] });
            article = await choice.RunAsync(article, places[i], seed, cancellationToken).ConfigureAwait(false);
            left.Remove(article.Sections[places[i]].Figure!.Picture!);
            yield return new ArticleChanged(article);
        }

        if (left.Count > 0)
            article = article.WithNote(CompositionStep.Choose, NoteCause.Model, $"own pictures without a place in the article: {string.Join(", ", left.Select(picture => picture.Name))}");
        yield return new ArticleChanged(article);
    }

    /// <summary>Chooses again among the candidates of one figure.</summary>
    /// <exception cref="EngineException">The section has no figure with candidates.</exception>
    public async IAsyncEnumerable<CompositionEvent> ChooseAgainAsync(Article article, int place, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (article.RequireSection(place).Figure is not { Candidates.Count: > 0 })
            throw new EngineException($"section {place + 1} has no figure to choose a picture for");
        yield return new StepStarted(CompositionStep.Choose, 1, 1, article.Sections[place].Figure!.Caption);
        yield return new ArticleChanged(await choice.RunAsync(article, place, seed, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Searches for one figure, which is made where there is none, and chooses.</summary>
    /// <exception cref="EngineException">Nothing is found: the article stays as it was.</exception>
    public async IAsyncEnumerable<CompositionEvent> SearchAgainAsync(
        Article article, int place, string caption, PictureSource source, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArticleFigure figure = article.RequireSection(place).Figure ?? new ArticleFigure();
        article = article.WithFigure(place, figure with { Caption = caption.Length > 0 ? caption : figure.Caption, ChosenIndex = null, Candidates = [] });
        string query = Query(article, place);
        yield return new StepStarted(CompositionStep.Search, 1, 1, query);
        Article found = await search.RunAsync(article, place, query, source, cancellationToken).ConfigureAwait(false);
        if (found.Sections[place].Figure!.Candidates.Count == 0)
            throw new EngineException(found.Notes[^1].Text);
        yield return new StepStarted(CompositionStep.Choose, 1, 1, query);
        yield return new ArticleChanged(await choice.RunAsync(found, place, seed, cancellationToken).ConfigureAwait(false));
    }

    private static string Query(Article article, int place) =>
        article.Sections[place].Figure is { Caption.Length: > 0 } figure ? figure.Caption : CaptionAnswer.Of(article.Sections[place]);

    /// <summary>A picture that a later figure showed before must not keep an earlier one from it.</summary>
    private static Article WithoutPictures(Article article, int[] places)
    {
        article = article.WithoutNotesFrom(CompositionStep.Search);
        foreach (int place in places)
            article = article.WithFigure(place, new ArticleFigure { Caption = article.Sections[place].Figure!.Caption });
        return article;
    }
}

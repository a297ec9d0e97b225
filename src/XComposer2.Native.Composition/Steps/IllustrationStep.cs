using System.Runtime.CompilerServices;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Model;

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

/// <summary>Candidates for one figure from a source. What the source gives is not trusted: damaged, superfluous and repeated pictures are left out.</summary>
internal sealed class PictureSearch(int count)
{
    /// <summary>The article with the candidates that were found, perhaps none, and a note on what was wrong.</summary>
    public async Task<Article> RunAsync(Article article, int place, string caption, PictureSource source, CancellationToken cancellationToken)
    {
        string figure = $"figure after section {place + 1}";
        IReadOnlyList<ImageCandidate> found;
        try
        {
            found = await source.Images.SearchAsync(new ImageQuery(caption, count) { ExcludedIds = UsedIds(article, place, source.Name) }, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageSourceException error)
        {
            return article.WithNote(CompositionStep.Search, NoteCause.Pictures, $"{figure}: {error.Message}");
        }

        HashSet<string> taken = article.ShownElsewhere(place);
        var candidates = new List<ArticlePicture>();
        foreach (ImageCandidate candidate in found.Take(count))
        {
            try
            {
                var picture = ArticlePicture.Of(candidate, source.Name);
                if (taken.Add(picture.FileName))
                    candidates.Add(picture);
            }
            catch (ImageException damaged)
            {
                article = article.WithNote(CompositionStep.Search, NoteCause.Pictures, $"{figure}: a picture was skipped: {damaged.Message}");
            }
        }

        if (candidates.Count == 0)
            return article.WithNote(CompositionStep.Search, NoteCause.Pictures, $"{figure}: {source.Name} has no picture for \"{AnswerQuote.Of(caption)}\"");
        return article.WithFigure(place, article.Sections[place].Figure! with { Candidates = candidates });
    }

    private static HashSet<string> UsedIds(Article article, int place, string source) =>
        [.. article.Sections.Where((section, index) => index != place && section.Figure?.Picture?.Source == source).Select(section => section.Figure!.Picture!.Id)];
}

/// <summary>The model's choice among the candidates of one figure.</summary>
internal sealed class PictureChoice(ModelQuestions questions)
{
    /// <summary>Chooses, and notes where the choice was not the model's. One candidate is taken without asking.</summary>
    /// <param name="article">With a figure that has candidates at the place.</param>
    /// <param name="place">The section before the figure.</param>
    /// <param name="seed">Of the step.</param>
    /// <param name="cancellationToken">Ends the step.</param>
    public async Task<Article> RunAsync(Article article, int place, ulong seed, CancellationToken cancellationToken)
    {
        ArticleFigure figure = article.Sections[place].Figure!;
        int[] free = Free(article, place, figure);
        if (free.Length == 0)
            return article.WithNote(CompositionStep.Choose, NoteCause.Pictures, $"figure after section {place + 1}: every picture that was found is shown elsewhere");
        if (free.Length == 1)
            return article.WithFigure(place, figure with { ChosenIndex = free[0] });

        CompositionPrompt prompt = CompositionPrompts.Choose(article.Sections, place, [.. free.Select(index => figure.Candidates[index])]);
        if (!questions.Fits(prompt, out string problem))
            return Take(article, place, free[0]).WithNote(CompositionStep.Choose, NoteCause.Limit, $"figure after section {place + 1}: the first candidate is taken, the article is too long to ask ({problem})");
        string answer = await questions.AskAsync(prompt, ComposerOptions.MaxChoiceTokens, StepSeeds.Of(seed, CompositionStep.Choose, place), cancellationToken).ConfigureAwait(false);
        ChoiceAnswer choice = ChoiceAnswer.Read(answer, free.Length);
        article = Take(article, place, free[choice.Index]);
        return choice.IsUsable
            ? article
            : article.WithNote(CompositionStep.Choose, NoteCause.Model, $"figure after section {place + 1}: the first candidate is taken, the model named none: \"{AnswerQuote.Of(answer)}\"");
    }

    private static Article Take(Article article, int place, int index) => article.WithFigure(place, article.Sections[place].Figure! with { ChosenIndex = index });

    /// <summary>Candidates that no other figure shows, at most as many as there are letters.</summary>
    private static int[] Free(Article article, int place, ArticleFigure figure)
    {
        HashSet<string> shown = article.ShownElsewhere(place);
        return [.. Enumerable.Range(0, figure.Candidates.Count).Where(index => !shown.Contains(figure.Candidates[index].FileName)).Take(CompositionPrompts.Letters.Length)];
    }
}

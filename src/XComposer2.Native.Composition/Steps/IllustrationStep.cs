using System.Runtime.CompilerServices;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition;

/// <summary>Finds a picture for each figure, in article order, in a source or among the user's own pictures.</summary>
internal sealed class IllustrationStep(ModelQuestions questions)
{
    private readonly PictureChoice choice = new(questions);
    private readonly PictureSearch search = new(questions.Options.Candidates);

    /// <summary>Searches a source; figures without a result are dropped.</summary>
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

    /// <summary>Assigns each of the user's pictures to at most one place; unused places are dropped.</summary>
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
            article = article.WithFigure(places[i], article.Sections[places[i]].Figure! with { Candidates = [.. left], Scores = [] });
            article = await choice.RunAsync(article, places[i], seed, cancellationToken).ConfigureAwait(false);
            left.Remove(article.Sections[places[i]].Figure!.Picture!);
            yield return new ArticleChanged(article);
        }

        if (left.Count > 0)
            article = article.WithNote(CompositionStep.Choose, NoteCause.Model, $"own pictures without a place in the article: {string.Join(", ", left.Select(picture => picture.Name))}");
        yield return new ArticleChanged(article);
    }

    /// <summary>Repeats the choice among the candidates of one figure.</summary>
    /// <exception cref="EngineException">The section has no figure with candidates.</exception>
    public async IAsyncEnumerable<CompositionEvent> ChooseAgainAsync(Article article, int place, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (article.RequireSection(place).Figure is not { Candidates.Count: > 0 })
            throw new EngineException($"section {place + 1} has no figure with candidates");
        yield return new StepStarted(CompositionStep.Choose, 1, 1, article.Sections[place].Figure!.Caption);
        yield return new ArticleChanged(await choice.RunAsync(article, place, seed, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Searches for one figure, adding it if necessary, and chooses.</summary>
    /// <exception cref="EngineException">No picture was found; the article is unchanged.</exception>
    public async IAsyncEnumerable<CompositionEvent> SearchAgainAsync(
        Article article, int place, string caption, PictureSource source, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArticleFigure figure = article.RequireSection(place).Figure ?? new ArticleFigure();
        article = article.WithFigure(place, new ArticleFigure { Caption = caption.Length > 0 ? caption : figure.Caption });
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

    /// <summary>Removes the chosen pictures, so that one shown later before is available to an earlier figure.</summary>
    private static Article WithoutPictures(Article article, int[] places)
    {
        article = article.WithoutNotesFrom(CompositionStep.Search);
        foreach (int place in places)
            article = article.WithFigure(place, new ArticleFigure { Caption = article.Sections[place].Figure!.Caption });
        return article;
    }
}

/// <summary>Finds candidates for one figure. The source is not trusted: damaged, surplus and repeated pictures are skipped.</summary>
internal sealed class PictureSearch(int count)
{
    /// <summary>Returns the article with the candidates found, possibly none, and notes about problems.</summary>
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
        var scores = new List<CandidateScore>();
        foreach ((int index, ImageCandidate candidate) in found.Take(count).Index())
        {
            try
            {
                var picture = ArticlePicture.Of(candidate, source.Name, article.Pictures);
                if (!taken.Add(picture.FileName))
                    continue;
                candidates.Add(picture);
                scores.Add(new CandidateScore(index + 1, null));
            }
            catch (ImageException damaged)
            {
                article = article.WithNote(CompositionStep.Search, NoteCause.Pictures, $"{figure}: a picture was skipped: {damaged.Message}");
            }
        }

        if (candidates.Count == 0)
            return article.WithNote(CompositionStep.Search, NoteCause.Pictures, $"{figure}: {source.Name} has no picture for \"{AnswerQuote.Of(caption)}\"");
        return article.WithFigure(place, article.Sections[place].Figure! with { Candidates = candidates, Scores = scores });
    }

    private static HashSet<string> UsedIds(Article article, int place, string source) =>
        [.. article.Sections.Where((section, index) => index != place && section.Figure?.Picture?.Source == source).Select(section => section.Figure!.Picture!.Id)];
}

/// <summary>The model's choice among the candidates of one figure.</summary>
internal sealed class PictureChoice(ModelQuestions questions)
{
    /// <summary>Chooses, and adds a note if the choice was not the model's. A single candidate is taken without asking the model.</summary>
    /// <param name="article">An article whose figure at <paramref name="place"/> has candidates.</param>
    /// <param name="place">Index of the section before the figure.</param>
    /// <param name="seed">Seed of the step.</param>
    /// <param name="cancellationToken">Stops the step.</param>
    public async Task<Article> RunAsync(Article article, int place, ulong seed, CancellationToken cancellationToken)
    {
        ArticleFigure figure = article.Sections[place].Figure!;
        int[] free = Free(article, place, figure);
        if (free.Length == 0)
            return article.WithNote(CompositionStep.Choose, NoteCause.Pictures, $"figure after section {place + 1}: every picture found is already shown elsewhere");
        if (free.Length == 1)
            return Take(article, place, free[0]);

        CompositionPrompt prompt = CompositionPrompts.Choose(article.Sections, place, [.. free.Select(index => figure.Candidates[index])]);
        if (!questions.Fits(prompt, out string problem))
            return Take(article, place, free[0]).WithNote(CompositionStep.Choose, NoteCause.Limit, $"figure after section {place + 1}: the first candidate is used; the article is too long to ask the model ({problem})");
        (string answer, LetterProbabilities letters) = await questions.ChooseAsync(prompt, free.Length, StepSeeds.Of(seed, CompositionStep.Choose, place), cancellationToken).ConfigureAwait(false);
        ChoiceAnswer choice = ChoiceAnswer.Read(answer, free.Length);
        article = Take(article.WithFigure(place, figure with { Scores = Scores(figure, free, letters) }), place, free[choice.Index]);
        return choice.IsUsable
            ? article
            : article.WithNote(CompositionStep.Choose, NoteCause.Model, $"figure after section {place + 1}: the first candidate is used; the model named none: \"{AnswerQuote.Of(answer)}\"");
    }

    private static Article Take(Article article, int place, int index) => article.WithChosen(place, index);

    /// <summary>The ranks of the search and the model's probabilities, which replace those of an earlier choice.</summary>
    private static CandidateScore[] Scores(ArticleFigure figure, int[] free, LetterProbabilities letters)
    {
        CandidateScore[] scores = [.. figure.Candidates.Select((_, index) => new CandidateScore(figure.Scores.Count > 0 ? figure.Scores[index].Rank : null, null))];
        for (int letter = 0; letter < letters.Values.Count; letter++)
            scores[free[letter]] = scores[free[letter]] with { Probability = letters.Values[letter] };
        return scores;
    }

    /// <summary>Candidates not shown by another figure, at most as many as there are letters.</summary>
    private static int[] Free(Article article, int place, ArticleFigure figure)
    {
        HashSet<string> shown = article.ShownElsewhere(place);
        return [.. Enumerable.Range(0, figure.Candidates.Count).Where(index => !shown.Contains(figure.Candidates[index].FileName)).Take(CompositionPrompts.Letters.Length)];
    }
}

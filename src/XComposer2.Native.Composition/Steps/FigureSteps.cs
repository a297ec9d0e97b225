using System.Runtime.CompilerServices;

namespace XComposer2.Native.Composition;

/// <summary>Chooses the sections that figures follow. Existing figures are removed.</summary>
internal sealed class PlacingStep(ModelQuestions questions)
{
    /// <param name="article">An article with text.</param>
    /// <param name="figures">Maximum number of figures; null leaves it to the model.</param>
    /// <param name="seed">Seed of the step.</param>
    /// <param name="cancellationToken">Stops the step.</param>
    public async IAsyncEnumerable<CompositionEvent> RunAsync(Article article, int? figures, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new StepStarted(CompositionStep.Place, 1, 1);
        article = article.WithoutNotesFrom(CompositionStep.Place) with { Sections = [.. article.Sections.Select(section => section with { Figure = null })] };
        CompositionPrompt prompt = CompositionPrompts.Place(article.Sections, article.OwnPictures, figures);
        if (!questions.Fits(prompt, out string problem))
        {
            yield return new ArticleChanged(article.WithNote(CompositionStep.Place, NoteCause.Limit, $"no figures: the article is too long to choose their places ({problem})"));
            yield break;
        }

        string answer = await questions.AskAsync(prompt, ComposerOptions.MaxLineTokens, StepSeeds.Of(seed, CompositionStep.Place, 0), cancellationToken).ConfigureAwait(false);
        PlacesAnswer places = PlacesAnswer.Read(answer, article.Sections.Count, figures ?? article.Sections.Count);
        foreach (int place in places.Places)
            article = article.WithFigure(place, new ArticleFigure());
        if (places.Problem is { } unusable)
            article = article.WithNote(CompositionStep.Place, NoteCause.Model, unusable);
        yield return new ArticleChanged(article);
    }
}

/// <summary>Writes the captions of all figures. Existing pictures are removed, because they belong to other captions.</summary>
internal sealed class CaptionStep(ModelQuestions questions)
{
    public async IAsyncEnumerable<CompositionEvent> RunAsync(Article article, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        article = article.WithoutNotesFrom(CompositionStep.Caption);
        int[] places = article.FigurePlaces();
        var earlier = new List<(int Place, string Caption)>();
        foreach (int place in places)
        {
            yield return new StepStarted(CompositionStep.Caption, earlier.Count + 1, places.Length);
            CompositionPrompt prompt = CompositionPrompts.Caption(article.Sections, place, earlier);
            string caption = "", problem;
            if (questions.Fits(prompt, out problem))
            {
                string answer = await questions.AskAsync(prompt, ComposerOptions.MaxLineTokens, StepSeeds.Of(seed, CompositionStep.Caption, place), cancellationToken).ConfigureAwait(false);
                caption = CaptionAnswer.Read(answer);
            }

            if (caption.Length == 0)
            {
                article = problem.Length > 0
                    ? article.WithNote(CompositionStep.Caption, NoteCause.Limit, $"figure after section {place + 1}: the section's text is used as caption ({problem})")
                    : article.WithNote(CompositionStep.Caption, NoteCause.Model, $"figure after section {place + 1}: the model gave no caption; the section's text is used");
                caption = CaptionAnswer.Of(article.Sections[place]);
            }

            earlier.Add((place, caption));
            article = article.WithFigure(place, new ArticleFigure { Caption = caption });
            yield return new ArticleChanged(article);
        }
    }
}

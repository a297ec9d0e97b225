using System.Runtime.CompilerServices;

namespace XComposer2.Native.Composition;

/// <summary>After which sections figures belong. Figures that the article had are forgotten.</summary>
internal sealed class PlacingStep(ModelQuestions questions)
{
    /// <param name="article">With its text.</param>
    /// <param name="figures">How many at most; null leaves it to the model.</param>
    /// <param name="seed">Of the step.</param>
    /// <param name="cancellationToken">Ends the step.</param>
    public async IAsyncEnumerable<CompositionEvent> RunAsync(Article article, int? figures, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new StepStarted(CompositionStep.Place, 1, 1);
        article = article.WithoutNotesFrom(CompositionStep.Place) with { Sections = [.. article.Sections.Select(section => section with { Figure = null })] };
        CompositionPrompt prompt = CompositionPrompts.Place(article.Sections, article.OwnPictures, figures);
        if (!questions.Fits(prompt, out string problem))
        {
            yield return new ArticleChanged(article.WithNote(CompositionStep.Place, NoteCause.Limit, $"no figures: the article is too long to ask for their places ({problem})"));
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

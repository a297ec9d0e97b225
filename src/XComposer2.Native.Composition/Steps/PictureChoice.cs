namespace XComposer2.Native.Composition;

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

using System.Runtime.CompilerServices;

namespace XComposer2.Native.Composition;

/// <summary>What each figure is to show. Figures that have a picture lose it: it belonged to another caption.</summary>
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
                    ? article.WithNote(CompositionStep.Caption, NoteCause.Limit, $"figure after section {place + 1}: its section stands for a caption ({problem})")
                    : article.WithNote(CompositionStep.Caption, NoteCause.Model, $"figure after section {place + 1}: the model gave no caption; its section stands for one");
                caption = CaptionAnswer.Of(article.Sections[place]);
            }

            earlier.Add((place, caption));
            article = article.WithFigure(place, new ArticleFigure { Caption = caption });
            yield return new ArticleChanged(article);
        }
    }
}

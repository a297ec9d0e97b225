using System.Runtime.CompilerServices;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>
/// Writes caption and alternative text of figures whose picture was not found by a caption: the user's own. The model sees the picture. The caption also
/// depends on the article; the alternative text describes the picture alone.
/// </summary>
internal sealed class DescriptionStep(ModelQuestions questions)
{
    /// <summary>As in galleries; a truncated description ends with its last complete sentence.</summary>
    private const int DescriptionTokens = 64;

    // Seeds of the two prompts of a figure must differ.
    private const int DescriptionSeeds = 2048;

    /// <param name="article">An article with figures.</param>
    /// <param name="only">The section to describe; null for all that lack a text.</param>
    /// <param name="seed">Seed of the step.</param>
    /// <param name="cancellationToken">Stops the step.</param>
    public async IAsyncEnumerable<CompositionEvent> RunAsync(Article article, int? only, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int[] places = only is { } section ? [section] : [.. article.FigurePlaces().Where(place => Lacks(article.Sections[place].Figure!))];
        for (int i = 0; i < places.Length; i++)
        {
            int place = places[i];
            yield return new StepStarted(CompositionStep.Caption, i + 1, places.Length);
            ArticleFigure figure = article.Sections[place].Figure!;
            ArticlePicture picture = figure.Picture ?? throw new EngineException($"section {place + 1}: the figure has no picture yet");
            if (only is not null || figure.AlternativeText.Length == 0)
                article = article.WithCaption(place, null, await DescribeAsync(article, picture, place, seed, cancellationToken).ConfigureAwait(false));
            if (only is not null || figure.Caption.Length == 0)
                article = await CaptionAsync(article, picture, place, seed, cancellationToken).ConfigureAwait(false);
            yield return new ArticleChanged(article);
        }
    }

    private static bool Lacks(ArticleFigure figure) => figure.Picture is { } picture && (figure.Caption.Length == 0 || (figure.AlternativeText.Length == 0 && picture.Caption is null));

    private async Task<string> DescribeAsync(Article article, ArticlePicture picture, int place, ulong seed, CancellationToken cancellationToken)
    {
        bool isChinese = TextLanguage.Of(string.Concat(article.Sections.Select(section => section.Text))) == TextLanguage.Chinese;
        CompositionPrompt prompt = new PromptBuilder().Picture(picture).Text(isChinese ? "描述这张图片。" : "Describe this image.").Build();
        if (!questions.Fits(prompt, out _))
            return "";
        string answer = await questions.AskAsync(prompt, DescriptionTokens, StepSeeds.Of(seed, CompositionStep.Caption, place + DescriptionSeeds), cancellationToken).ConfigureAwait(false);
        return CaptionText.Clean(EnginePictureModel.WholeSentences(answer));
    }

    private async Task<Article> CaptionAsync(Article article, ArticlePicture picture, int place, ulong seed, CancellationToken cancellationToken)
    {
        var earlier = article.FigurePlaces().Where(other => other < place && article.Sections[other].Figure!.Caption.Length > 0)
            .Select(other => (other, article.Sections[other].Figure!.Caption)).ToList();
        CompositionPrompt asked = CompositionPrompts.Caption(article.Sections, place, earlier);
        // Own pictures precede the article, as in the prompt for places.
        CompositionPrompt prompt = asked with { Text = Model.ChatTemplate.Placeholder + " " + asked.Text, Pictures = [picture, .. asked.Pictures] };
        if (!questions.Fits(prompt, out string problem))
            return article.WithNote(CompositionStep.Caption, NoteCause.Limit, $"figure after section {place + 1}: no caption: {problem}");
        string answer = await questions.AskAsync(prompt, ComposerOptions.MaxLineTokens, StepSeeds.Of(seed, CompositionStep.Caption, place), cancellationToken).ConfigureAwait(false);
        string caption = CaptionAnswer.Read(answer);
        return caption.Length > 0
            ? article.WithCaption(place, caption, null)
            : article.WithNote(CompositionStep.Caption, NoteCause.Model, $"figure after section {place + 1}: the model gave no caption");
    }
}

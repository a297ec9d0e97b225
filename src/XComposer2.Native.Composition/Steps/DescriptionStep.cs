using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>
/// Writes alternative text and caption of figures whose picture was not found by a caption: the user's own. The model describes the picture, with the
/// question of galleries; the caption is the first sentence of the description. A caption from the article alone could contradict the picture.
/// </summary>
internal sealed partial class DescriptionStep(ModelQuestions questions)
{
    /// <summary>As in galleries; a truncated description ends with its last complete sentence.</summary>
    private const int MaximumTokens = 64;

    /// <param name="article">An article with figures.</param>
    /// <param name="only">The section to describe; null for all that lack a text.</param>
    /// <param name="seed">Seed of the step.</param>
    /// <param name="cancellationToken">Stops the step.</param>
    public async IAsyncEnumerable<CompositionEvent> RunAsync(Article article, int? only, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        bool isChinese = TextLanguage.Of(string.Concat(article.Sections.Select(section => section.Text))) == TextLanguage.Chinese;
        int[] places = only is { } section ? [section] : [.. article.FigurePlaces().Where(place => Lacks(article.Sections[place].Figure!))];
        for (int i = 0; i < places.Length; i++)
        {
            int place = places[i];
            yield return new StepStarted(CompositionStep.Caption, i + 1, places.Length);
            ArticleFigure figure = article.Sections[place].Figure!;
            ArticlePicture picture = figure.Picture ?? throw new EngineException($"section {place + 1}: the figure has no picture yet");
            string description = await DescribeAsync(picture, isChinese, StepSeeds.Of(seed, CompositionStep.Caption, place), cancellationToken).ConfigureAwait(false);
            if (description.Length == 0)
                article = article.WithNote(CompositionStep.Caption, NoteCause.Model, $"figure after section {place + 1}: the model did not describe the picture");
            else
                article = article.WithCaption(place, only is not null || figure.Caption.Length == 0 ? CaptionOf(description) : null, description);
            yield return new ArticleChanged(article);
        }
    }

    /// <summary>The first sentence without "The image shows".</summary>
    internal static string CaptionOf(string description)
    {
        string sentence = FirstSentence().Match(description).Value;
        string shown = Opening().Replace(sentence, "").Trim().TrimEnd('.', '。');
        if (shown.Length == 0)
            return sentence.Trim();
        return char.ToUpperInvariant(shown[0]) + shown[1..];
    }

    private static bool Lacks(ArticleFigure figure) => figure.Picture is { } picture && (figure.Caption.Length == 0 || (figure.AlternativeText.Length == 0 && picture.Caption is null));

    private async Task<string> DescribeAsync(ArticlePicture picture, bool isChinese, ulong seed, CancellationToken cancellationToken)
    {
        CompositionPrompt prompt = new PromptBuilder().Picture(picture).Text(isChinese ? "描述这张图片。" : "Describe this image.").Build();
        if (!questions.Fits(prompt, out _))
            return "";
        string answer = await questions.AskAsync(prompt, MaximumTokens, seed, cancellationToken).ConfigureAwait(false);
        return CaptionText.Clean(EnginePictureModel.WholeSentences(answer));
    }

    [GeneratedRegex(@"^.*?([.!?](?=\s|$)|[。！？]|$)")]
    private static partial Regex FirstSentence();

    [GeneratedRegex(@"^((the|this) (image|picture|photo|photograph) (shows|depicts|features|displays|captures|is of)\s+|(这张|这幅)?(图片|图像|照片|图)(中|里|上)?(展示了|显示了|显示的是|描绘了|展现了|是|有))", RegexOptions.IgnoreCase)]
    private static partial Regex Opening();
}

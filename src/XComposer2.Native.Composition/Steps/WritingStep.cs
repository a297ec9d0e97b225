using System.Runtime.CompilerServices;
using System.Text;

namespace XComposer2.Native.Composition;

/// <summary>The text of the article, streamed; sections become part of the article as they are complete.</summary>
internal sealed class WritingStep(ModelQuestions questions)
{
    public async IAsyncEnumerable<CompositionEvent> RunAsync(ArticleRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        request.Require();
        ulong seed = request.Seed ?? StepSeeds.Draw();
        Article article = new() { Instruction = request.Instruction, Title = request.Title, Model = questions.ModelName, Seed = seed, OwnPictures = request.OwnPictures };
        CompositionPrompt prompt = CompositionPrompts.Write(request.Instruction, request.OwnPictures);
        yield return new StepStarted(CompositionStep.Write, 1, 1);

        var text = new StringBuilder();
        GenerationResult? result = null;
        int maxTokens = questions.Options.MaxArticleTokens;
        await foreach (GenerationEvent next in questions.StreamAsync(prompt, maxTokens, StepSeeds.Of(seed, CompositionStep.Write, 0), cancellationToken).ConfigureAwait(false))
        {
            if (next is GenerationCompleted completed)
                result = completed.Result;
            if (next is not TextDelta delta)
                continue;
            text.Append(delta.Text);
            yield return new TextWritten(delta.Text);
            if (!delta.Text.Contains('\n', StringComparison.Ordinal))
                continue;
            article = article with { Sections = Complete(text.ToString()) };
            yield return new ArticleChanged(article);
        }

        yield return new ArticleChanged(Finish(article, text.ToString(), result));
    }

    /// <summary>Sections whose line has ended.</summary>
    private static IReadOnlyList<ArticleSection> Complete(string text) => ArticleText.Split(text[..(text.LastIndexOf('\n') + 1)], out _);

    private Article Finish(Article article, string text, GenerationResult? result)
    {
        article = article with { Sections = ArticleText.Split(text, out int dropped) };
        if (article.Sections.Count == 0)
            throw new EngineException("the model wrote nothing; another seed may help");
        if (dropped > 0)
            article = article.WithNote(CompositionStep.Write, NoteCause.Limit, $"the model wrote {article.Sections.Count + dropped} sections; {dropped} after the first {ArticleText.MaximumSections} were dropped");
        if (result?.FinishReason == FinishReason.Length)
            article = article.WithNote(CompositionStep.Write, NoteCause.Limit, $"the text was cut off after {result.Usage.CompletionTokens} tokens: {questions.Options.MaxArticleTokens} are allowed, and the context has {questions.ContextLength}");
        return article;
    }
}

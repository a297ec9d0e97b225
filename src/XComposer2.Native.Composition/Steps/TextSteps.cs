using System.Runtime.CompilerServices;
using System.Text;

namespace XComposer2.Native.Composition;

/// <summary>Writes the text of the article; complete sections are added while the text is streamed.</summary>
internal sealed class WritingStep(ModelQuestions questions)
{
    public async IAsyncEnumerable<CompositionEvent> RunAsync(ArticleRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        request.Require();
        ulong seed = request.Seed ?? StepSeeds.Draw();
        Article article = new() { Instruction = request.Instruction, Title = request.Title, Model = questions.ModelName, Seed = seed, OwnPictures = request.OwnPictures, Pictures = request.Pictures };
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

    /// <summary>Sections with a line end.</summary>
    private static IReadOnlyList<ArticleSection> Complete(string text) => ArticleText.Split(text[..(text.LastIndexOf('\n') + 1)], out _);

    private Article Finish(Article article, string text, GenerationResult? result)
    {
        article = article with { Sections = ArticleText.Split(text, out int dropped) };
        if (article.Sections.Count == 0)
            throw new EngineException("the model returned no text; another seed may help");
        if (dropped > 0)
            article = article.WithNote(CompositionStep.Write, NoteCause.Limit, $"the model wrote {article.Sections.Count + dropped} sections; {dropped} after the first {ArticleText.MaximumSections} were dropped");
        if (result?.FinishReason == FinishReason.Length)
            article = article.WithNote(CompositionStep.Write, NoteCause.Limit, $"the text was cut off after {result.Usage.CompletionTokens} tokens: the limit is {questions.Options.MaxArticleTokens} and the context length {questions.ContextLength}");
        return article;
    }
}

/// <summary>Rewrites one section, or inserts one beside it.</summary>
internal sealed class EditingStep(ModelQuestions questions)
{
    public async IAsyncEnumerable<CompositionEvent> RunAsync(
        Article article, int index, SectionEdit edit, string instruction, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _ = article.RequireSection(index);
        bool inserts = edit is SectionEdit.InsertBefore or SectionEdit.InsertAfter;
        if (inserts && string.IsNullOrWhiteSpace(instruction))
            throw new EngineException("an insertion needs an outline: the instruction is empty");
        if (inserts && article.Sections.Count >= Article.MaximumSections)
            throw new EngineException($"the article has {article.Sections.Count} sections, the limit is {Article.MaximumSections}");
        yield return new StepStarted(CompositionStep.Edit, 1, 1);

        CompositionPrompt prompt = CompositionPrompts.Edit(article.Sections, index, edit, instruction);
        GenerationResult? result = null;
        await foreach (GenerationEvent next in questions.StreamAsync(prompt, questions.Options.MaxEditTokens, StepSeeds.Of(seed, CompositionStep.Edit, 0), cancellationToken).ConfigureAwait(false))
        {
            if (next is TextDelta delta)
                yield return new TextWritten(delta.Text);
            else if (next is GenerationCompleted completed)
                result = completed.Result;
        }

        string text = ArticleText.Join(result?.Text ?? "");
        if (text.Length == 0)
            throw new EngineException("the model returned no text; the article is unchanged, another seed may help");
        Article changed = edit switch
        {
            SectionEdit.InsertBefore => article.WithInserted(index, text),
            SectionEdit.InsertAfter => article.WithInserted(index + 1, text),
            _ => article.WithText(index, text),
        };
        if (result!.FinishReason == FinishReason.Length)
            changed = changed.WithNote(CompositionStep.Edit, NoteCause.Limit, $"the section was cut off after {result.Usage.CompletionTokens} tokens");
        yield return new ArticleChanged(changed);
    }
}

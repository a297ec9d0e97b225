using System.Runtime.CompilerServices;

namespace XComposer2.Native.Composition;

/// <summary>One section written anew, or one more beside it.</summary>
internal sealed class EditingStep(ModelQuestions questions)
{
    public async IAsyncEnumerable<CompositionEvent> RunAsync(
        Article article, int index, SectionEdit edit, string instruction, ulong seed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _ = article.RequireSection(index);
        bool inserts = edit is SectionEdit.InsertBefore or SectionEdit.InsertAfter;
        if (inserts && string.IsNullOrWhiteSpace(instruction))
            throw new EngineException("a section is inserted from an outline: the instruction is empty");
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
            throw new EngineException("the model wrote nothing; the article is as it was, another seed may help");
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

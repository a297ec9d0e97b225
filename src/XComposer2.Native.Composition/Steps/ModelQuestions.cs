namespace XComposer2.Native.Composition;

/// <summary>Asks the model the pipeline's questions.</summary>
internal sealed class ModelQuestions(ICompositionModel model, ComposerOptions options)
{
    public string ModelName => model.Name;

    public ComposerOptions Options => options;

    /// <summary>Positions that a sequence may have.</summary>
    public int ContextLength => model.ContextLength;

    /// <summary>Whether the prompt and at least one token of the answer fit; where not, what to say of it.</summary>
    public bool Fits(CompositionPrompt prompt, out string problem)
    {
        int tokens = model.Measure(prompt);
        bool fits = tokens < model.ContextLength;
        problem = fits ? "" : $"the prompt has {tokens} tokens, the context is {model.ContextLength} tokens";
        return fits;
    }

    /// <summary>Streams an answer.</summary>
    public IAsyncEnumerable<GenerationEvent> StreamAsync(CompositionPrompt prompt, int maxTokens, ulong seed, CancellationToken cancellationToken) =>
        model.AnswerAsync(prompt, options.Sampling with { MaxTokens = maxTokens, Seed = seed, Stop = [] }, cancellationToken);

    /// <summary>Waits for a whole answer.</summary>
    public async Task<string> AskAsync(CompositionPrompt prompt, int maxTokens, ulong seed, CancellationToken cancellationToken)
    {
        string text = "";
        await foreach (GenerationEvent next in StreamAsync(prompt, maxTokens, seed, cancellationToken).ConfigureAwait(false))
            if (next is GenerationCompleted completed)
                text = completed.Result.Text;
        return text;
    }
}

/// <summary>A seed for each question of an article, all made of one, so that a step gives the same whether it runs alone or after the others.</summary>
internal static class StepSeeds
{
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;
    private const int QuestionsOfAStep = 4096;

    /// <param name="seed">The user's; the text is written with it as it is.</param>
    /// <param name="step">Which step.</param>
    /// <param name="index">Which question of the step.</param>
    public static ulong Of(ulong seed, CompositionStep step, int index) =>
        unchecked(seed + (GoldenRatio * (ulong)(((int)step * QuestionsOfAStep) + index)));

    /// <summary>A number that a person can type again.</summary>
    public static ulong Draw() => (ulong)Random.Shared.Next(1, 1_000_000_000);
}

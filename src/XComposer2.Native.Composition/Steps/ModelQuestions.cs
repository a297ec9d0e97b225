namespace XComposer2.Native.Composition;

/// <summary>Sends the pipeline's prompts to the model.</summary>
internal sealed class ModelQuestions(ICompositionModel model, ComposerOptions options)
{
    public string ModelName => model.Name;

    public ComposerOptions Options => options;

    /// <summary>Maximum length of a sequence in tokens.</summary>
    public int ContextLength => model.ContextLength;

    /// <summary>Whether the prompt and at least one token of the answer fit; otherwise <paramref name="problem"/> states the lengths.</summary>
    public bool Fits(CompositionPrompt prompt, out string problem)
    {
        int tokens = model.Measure(prompt);
        bool fits = tokens < model.ContextLength;
        problem = fits ? "" : $"the prompt has {tokens} tokens, the context is {model.ContextLength} tokens";
        return fits;
    }

    /// <summary>Streams an answer.</summary>
    public IAsyncEnumerable<GenerationEvent> StreamAsync(CompositionPrompt prompt, int maxTokens, ulong seed, CancellationToken cancellationToken) =>
        model.AnswerAsync(prompt, options.Sampling with { MaxTokens = maxTokens, Seed = seed, Stop = [], PenalizePrompt = prompt.IsPenalized }, cancellationToken);

    /// <summary>Waits for the complete answer.</summary>
    public async Task<string> AskAsync(CompositionPrompt prompt, int maxTokens, ulong seed, CancellationToken cancellationToken) =>
        await CompleteAsync(StreamAsync(prompt, maxTokens, seed, cancellationToken)).ConfigureAwait(false) is { } result ? result.Text : "";

    /// <summary>Waits for the choice among candidates and its probabilities, which do not affect the answer.</summary>
    public async Task<(string Text, LetterProbabilities Letters)> ChooseAsync(CompositionPrompt prompt, int candidates, ulong seed, CancellationToken cancellationToken)
    {
        GenerationOptions asked = options.Sampling with
        {
            MaxTokens = ComposerOptions.MaxChoiceTokens, Seed = seed, Stop = [], PenalizePrompt = prompt.IsPenalized, LogProbs = true, TopLogProbs = LetterProbabilities.TokensPerPlace,
        };
        GenerationResult? result = await CompleteAsync(model.AnswerAsync(prompt, asked, cancellationToken)).ConfigureAwait(false);
        return (result?.Text ?? "", LetterProbabilities.Read(result?.LogProbs ?? [], candidates, model.TextOf));
    }

    private static async Task<GenerationResult?> CompleteAsync(IAsyncEnumerable<GenerationEvent> answer)
    {
        GenerationResult? result = null;
        await foreach (GenerationEvent next in answer.ConfigureAwait(false))
            result = (next as GenerationCompleted)?.Result ?? result;
        return result;
    }
}

/// <summary>Derives a seed for each prompt from the article's seed, so that a step gives the same result alone and after other steps.</summary>
internal static class StepSeeds
{
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;
    private const int QuestionsOfAStep = 4096;

    /// <param name="seed">The user's seed; used unchanged for the text.</param>
    /// <param name="step">The step.</param>
    /// <param name="index">Index of the prompt within the step.</param>
    public static ulong Of(ulong seed, CompositionStep step, int index) =>
        unchecked(seed + (GoldenRatio * (ulong)(((int)step * QuestionsOfAStep) + index)));

    /// <summary>Draws a seed that is short enough to type.</summary>
    public static ulong Draw() => (ulong)Random.Shared.Next(1, 1_000_000_000);
}

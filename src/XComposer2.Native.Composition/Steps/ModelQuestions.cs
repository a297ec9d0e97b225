
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

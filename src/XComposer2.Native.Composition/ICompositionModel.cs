namespace XComposer2.Native.Composition;

/// <summary>What answers the pipeline's questions: an engine, or a script in tests.</summary>
internal interface ICompositionModel : IDisposable
{
    /// <summary>Its name, for the article: the checkpoint's, not how it is stored.</summary>
    string Name { get; }

    /// <summary>Positions that a sequence may have.</summary>
    int ContextLength { get; }

    /// <summary>Positions that a prompt takes.</summary>
    int Measure(CompositionPrompt prompt);

    /// <summary>Streams the answer to one prompt, which knows nothing of the one before.</summary>
    IAsyncEnumerable<GenerationEvent> AnswerAsync(CompositionPrompt prompt, GenerationOptions options, CancellationToken cancellationToken);
}

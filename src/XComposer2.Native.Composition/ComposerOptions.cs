namespace XComposer2.Native.Composition;

/// <summary>How a composer asks the model. The defaults are those of the original composition demo.</summary>
public sealed record ComposerOptions
{
    /// <summary>Of every step; its lengths, seed and stop texts are not used, the steps have their own.</summary>
    public GenerationOptions Sampling { get; init; } = new() { Temperature = 1, TopP = 0.8f, TopK = 40, RepetitionPenalty = 1.005f };

    /// <summary>Longest article in tokens.</summary>
    public int MaxArticleTokens { get; init; } = 4096;

    /// <summary>
    /// Longest edited or inserted section in tokens. The original takes the prompt's length away from its 500, which leaves nothing to a long section.
    /// </summary>
    public int MaxEditTokens { get; init; } = 500;

    /// <summary>Pictures that a source is asked for, for each figure; the model chooses among them. 1 to 10.</summary>
    public int Candidates { get; init; } = 4;

    /// <summary>Places and captions.</summary>
    internal const int MaxLineTokens = 200;

    /// <summary>The choice among candidates.</summary>
    internal const int MaxChoiceTokens = 10;

    /// <exception cref="EngineException">One is out of range.</exception>
    internal void Require()
    {
        GenerationChecks.Require(Sampling);
        EngineException.ThrowUnless(MaxArticleTokens >= 1, "max article tokens", "1 or more", MaxArticleTokens);
        EngineException.ThrowUnless(MaxEditTokens >= 1, "max edit tokens", "1 or more", MaxEditTokens);
        EngineException.ThrowUnless(Candidates is >= 1 and <= ArticleRequest.MaximumOwnPictures, "candidates", $"1 to {ArticleRequest.MaximumOwnPictures}", Candidates);
    }
}

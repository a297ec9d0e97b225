namespace XComposer2.Native.Generation;

/// <summary>Token counts of one answer.</summary>
/// <param name="PromptTokens">Positions of the whole conversation before the answer, including visual ones.</param>
/// <param name="ImageTokens">Visual positions among the prompt tokens.</param>
/// <param name="CachedTokens">Prompt tokens found in the KV cache, from earlier prompts with the same beginning.</param>
/// <param name="CompletionTokens">Generated tokens, without the end mark.</param>
public sealed record TokenUsage(int PromptTokens, int ImageTokens, int CachedTokens, int CompletionTokens);

/// <summary>Durations of the phases of one answer.</summary>
public sealed record GenerationTimings
{
    /// <summary>From the submission of the prompt, after reading pictures, to its admission by the engine.</summary>
    public TimeSpan Waiting { get; init; }

    /// <summary>Reading and resizing pictures.</summary>
    public TimeSpan ImageDecode { get; init; }

    /// <summary>Vision tower and projector.</summary>
    public TimeSpan Vision { get; init; }

    /// <summary>The prompt in the decoder, up to the first token.</summary>
    public TimeSpan Prefill { get; init; }

    /// <summary>All decode steps.</summary>
    public TimeSpan Decode { get; init; }

    /// <summary>Number of decode steps; one less than the number of sampled tokens.</summary>
    public int DecodeSteps { get; init; }

    /// <summary>Mean duration of a decode step; zero without steps.</summary>
    public TimeSpan PerToken => DecodeSteps == 0 ? TimeSpan.Zero : Decode / DecodeSteps;
}

/// <summary>Log-probability of a generated token.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProb">Natural logarithm of its probability in the model's distribution, before penalty, temperature, top-k and top-p.</param>
/// <param name="Top">The most likely tokens of the same distribution, in descending order; empty unless requested.</param>
public sealed record TokenScore(int Id, float LogProb, IReadOnlyList<TokenAlternative> Top);

/// <summary>One of the most likely tokens at a position.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProb">Natural logarithm of its probability.</param>
public readonly record struct TokenAlternative(int Id, float LogProb);

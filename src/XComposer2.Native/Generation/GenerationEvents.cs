namespace XComposer2.Native;

/// <summary>What a running answer reports: <see cref="TextDelta"/> any number of times, then <see cref="GenerationCompleted"/> once.</summary>
public abstract record GenerationEvent;

/// <summary>More text. Never cuts a character; never part of a stop text.</summary>
/// <param name="Text">Not empty.</param>
public sealed record TextDelta(string Text) : GenerationEvent;

/// <summary>The last event of an answer.</summary>
/// <param name="Result">All of it.</param>
public sealed record GenerationCompleted(GenerationResult Result) : GenerationEvent;

/// <summary>A finished answer.</summary>
/// <param name="Text">The whole text.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="TokenIds">Generated ids, without the end mark.</param>
/// <param name="Seed">The seed that was used.</param>
/// <param name="Usage">Token counts.</param>
/// <param name="Timings">Times.</param>
public sealed record GenerationResult(
    string Text, FinishReason FinishReason, IReadOnlyList<int> TokenIds, ulong Seed, TokenUsage Usage, GenerationTimings Timings)
{
    /// <summary>For each of <see cref="TokenIds"/>; empty where they were not asked for.</summary>
    public IReadOnlyList<TokenScore> LogProbs { get; init; } = [];
}

/// <summary>How likely a generated token was.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProb">Natural logarithm of its probability in the distribution that the model gives, before penalty, temperature, top-k and top-p.</param>
/// <param name="Top">The likeliest tokens of the same distribution, likeliest first; empty where none were asked for.</param>
public sealed record TokenScore(int Id, float LogProb, IReadOnlyList<TokenAlternative> Top);

/// <summary>One of the likeliest tokens of a place.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProb">Natural logarithm of its probability.</param>
public readonly record struct TokenAlternative(int Id, float LogProb);

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended its turn, or a stop text was reached.</summary>
    Stop,

    /// <summary>The answer reached <see cref="GenerationOptions.MaxTokens"/> or the context its end.</summary>
    Length,

    /// <summary>The caller stopped the answer (<see cref="ChatSession.StopAnswer"/>); the text so far is kept.</summary>
    Stopped,
}

/// <summary>Tokens of one answer.</summary>
/// <param name="PromptTokens">Positions of the whole conversation before the answer, visual ones included.</param>
/// <param name="ImageTokens">Those of them that are visual.</param>
/// <param name="CachedTokens">Those of them that were in the KV cache from earlier prompts that begin alike.</param>
/// <param name="CompletionTokens">Generated tokens, the end mark not counted.</param>
public sealed record TokenUsage(int PromptTokens, int ImageTokens, int CachedTokens, int CompletionTokens);

/// <summary>Where the time of one answer went.</summary>
public sealed record GenerationTimings
{
    /// <summary>From the submission of the prompt, pictures read, to the engine's taking it up.</summary>
    public TimeSpan Waiting { get; init; }

    /// <summary>Reading and resizing pictures.</summary>
    public TimeSpan ImageDecode { get; init; }

    /// <summary>Vision tower and projector.</summary>
    public TimeSpan Vision { get; init; }

    /// <summary>The prompt through the decoder, up to the first token.</summary>
    public TimeSpan Prefill { get; init; }

    /// <summary>All decode steps.</summary>
    public TimeSpan Decode { get; init; }

    /// <summary>Decode steps that were run; one less than the sampled tokens.</summary>
    public int DecodeSteps { get; init; }

    /// <summary>Mean time of a decode step; zero where there was none.</summary>
    public TimeSpan PerToken => DecodeSteps == 0 ? TimeSpan.Zero : Decode / DecodeSteps;
}

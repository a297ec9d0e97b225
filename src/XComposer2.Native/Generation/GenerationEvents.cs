namespace XComposer2.Native;

/// <summary>An event of a running answer: any number of <see cref="TextDelta"/>, then one <see cref="GenerationCompleted"/>.</summary>
public abstract record GenerationEvent;

/// <summary>New text of the answer. Never splits a character; never contains part of a stop text.</summary>
/// <param name="Text">Not empty.</param>
public sealed record TextDelta(string Text) : GenerationEvent
{
    /// <summary>Log-probabilities of the tokens since the last delta; empty unless requested. Those of tokens without text, a stop text for example, are only in
    /// <see cref="GenerationResult.LogProbs"/>.</summary>
    public IReadOnlyList<TokenScore> LogProbs { get; init; } = [];
}

/// <summary>The last event of an answer.</summary>
/// <param name="Result">The complete answer.</param>
public sealed record GenerationCompleted(GenerationResult Result) : GenerationEvent;

/// <summary>A finished answer.</summary>
/// <param name="Text">The whole text.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="TokenIds">Generated ids, without the end mark.</param>
/// <param name="Seed">The seed used.</param>
/// <param name="Usage">Token counts.</param>
/// <param name="Timings">Times.</param>
public sealed record GenerationResult(
    string Text, FinishReason FinishReason, IReadOnlyList<int> TokenIds, ulong Seed, TokenUsage Usage, GenerationTimings Timings)
{
    /// <summary>Log-probability of each of <see cref="TokenIds"/>; empty unless requested.</summary>
    public IReadOnlyList<TokenScore> LogProbs { get; init; } = [];

    /// <summary>Of an answer by beam search: its log-probability over its length to the power of the length penalty; null for others.</summary>
    public float? Score { get; init; }

    /// <summary>The stop text that ended the answer; null if none did.</summary>
    public string? StopText { get; init; }
}

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended its turn, or a stop text occurred.</summary>
    Stop,

    /// <summary><see cref="GenerationOptions.MaxTokens"/> or the end of the context was reached.</summary>
    Length,

    /// <summary>The caller stopped the answer (<see cref="ChatSession.StopAnswer"/>); the text so far is kept.</summary>
    Stopped,
}

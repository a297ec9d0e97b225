namespace XComposer2.Native;

/// <summary>A finished answer.</summary>
/// <param name="Text">The whole text.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="TokenIds">Generated ids, without the end mark.</param>
/// <param name="Seed">The seed that was used.</param>
/// <param name="Usage">Token counts.</param>
/// <param name="Timings">Times.</param>
public sealed record GenerationResult(
    string Text, FinishReason FinishReason, IReadOnlyList<int> TokenIds, ulong Seed, TokenUsage Usage, GenerationTimings Timings);

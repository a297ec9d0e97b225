namespace XComposer2.Native;

/// <summary>Tokens of one answer.</summary>
/// <param name="PromptTokens">Positions of the whole conversation before the answer, visual ones included.</param>
/// <param name="ImageTokens">Those of them that are visual.</param>
/// <param name="CachedTokens">Those of them that were in the KV cache from earlier turns.</param>
/// <param name="CompletionTokens">Generated tokens, the end mark not counted.</param>
public sealed record TokenUsage(int PromptTokens, int ImageTokens, int CachedTokens, int CompletionTokens);

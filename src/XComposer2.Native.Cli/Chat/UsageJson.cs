namespace XComposer2.Native.Cli;

/// <summary>Tokens of one answer.</summary>
internal sealed record UsageJson(int PromptTokens, int ImageTokens, int CachedTokens, int CompletionTokens);

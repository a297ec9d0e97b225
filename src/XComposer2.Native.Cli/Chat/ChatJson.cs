namespace XComposer2.Native.Cli;

/// <summary>The object that <c>xc2 chat --json</c> prints. Names and units are a promise to scripts.</summary>
internal sealed record ChatJson(
    string Text, string FinishReason, IReadOnlyList<int> TokenIds, UsageJson Usage, ulong Seed, TimingsJson Timings, string Model, string Device)
{
    public static ChatJson Of(GenerationResult result, EngineInfo info) => new(
        result.Text,
        FinishName(result.FinishReason),
        result.TokenIds,
        new UsageJson(result.Usage.PromptTokens, result.Usage.ImageTokens, result.Usage.CachedTokens, result.Usage.CompletionTokens),
        result.Seed,
        TimingsJson.Of(result.Timings, info.LoadTime),
        info.Model,
        info.Device);

    public static string FinishName(FinishReason reason) => reason == Native.FinishReason.Length ? "length" : "stop";
}

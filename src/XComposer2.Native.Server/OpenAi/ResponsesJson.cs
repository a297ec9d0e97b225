using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace XComposer2.Native.Server;

/// <summary>Responses and events of the Responses API.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ResponseJson))]
[JsonSerializable(typeof(ResponseEventJson))]
internal sealed partial class ResponsesJson : JsonSerializerContext
{
    public static ResponsesJson Lines { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

internal sealed record ResponseJson(string Id, long CreatedAt, string Status, string Model, IReadOnlyList<OutputItemJson> Output, ResponseUsageJson? Usage)
{
    public string Object { get; } = "response";

    public string? Error { get; init; }

    public IncompleteJson? IncompleteDetails { get; init; }

    public bool ParallelToolCalls { get; init; }

    public string ToolChoice { get; } = "none";

    public IReadOnlyList<string> Tools { get; } = [];

    public bool Store { get; init; }
}

internal sealed record IncompleteJson(string Reason);

internal sealed record OutputItemJson(string Id, string Status, IReadOnlyList<OutputTextJson> Content)
{
    public string Type { get; } = "message";

    public string Role { get; } = "assistant";
}

internal sealed record OutputTextJson(string Text)
{
    public string Type { get; } = "output_text";

    public IReadOnlyList<string> Annotations { get; } = [];
}

internal sealed record ResponseUsageJson(int InputTokens, CachedTokensJson InputTokensDetails, int OutputTokens, ReasoningTokensJson OutputTokensDetails, int TotalTokens)
{
    public static ResponseUsageJson Of(TokenUsage usage) =>
        new(usage.PromptTokens, new CachedTokensJson(usage.CachedTokens), usage.CompletionTokens, new ReasoningTokensJson(0), usage.PromptTokens + usage.CompletionTokens);
}

internal sealed record CachedTokensJson(int CachedTokens);

internal sealed record ReasoningTokensJson(int ReasoningTokens);

/// <summary>An event; what its type does not have is absent.</summary>
internal sealed record ResponseEventJson(string Type)
{
    public int SequenceNumber { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ResponseJson? Response { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ItemId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? OutputIndex { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ContentIndex { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OutputItemJson? Item { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OutputTextJson? Part { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Delta { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Logprobs { get; init; }
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace XComposer2.Native.Server;

/// <summary>Responses and events of Anthropic's API.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MessageResponseJson))]
[JsonSerializable(typeof(MessageStartJson))]
[JsonSerializable(typeof(BlockStartJson))]
[JsonSerializable(typeof(BlockDeltaJson))]
[JsonSerializable(typeof(BlockStopJson))]
[JsonSerializable(typeof(MessageDeltaJson))]
[JsonSerializable(typeof(MessageStopJson))]
[JsonSerializable(typeof(TokenCountJson))]
[JsonSerializable(typeof(MessageErrorJson))]
internal sealed partial class AnthropicJson : JsonSerializerContext
{
    public static AnthropicJson Lines { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

internal sealed record MessageResponseJson(string Id, string Model, IReadOnlyList<ContentBlockJson> Content, MessageUsageJson Usage)
{
    public string Type { get; } = "message";

    public string Role { get; } = "assistant";

    public string? StopReason { get; init; }

    public string? StopSequence { get; init; }
}

internal sealed record ContentBlockJson(string Text)
{
    public string Type { get; } = "text";
}

/// <summary>Tokens of the prompt that were in the cache are not input tokens here.</summary>
internal sealed record MessageUsageJson(int InputTokens, int OutputTokens, int CacheReadInputTokens)
{
    public int CacheCreationInputTokens { get; init; }

    public static MessageUsageJson Of(GenerationResult result) => new(result.Usage.PromptTokens - result.Usage.CachedTokens, result.Usage.CompletionTokens, result.Usage.CachedTokens);
}

internal sealed record MessageStartJson(MessageResponseJson Message)
{
    public string Type { get; } = "message_start";
}

internal sealed record BlockStartJson(int Index, ContentBlockJson ContentBlock)
{
    public string Type { get; } = "content_block_start";
}

internal sealed record BlockDeltaJson(int Index, TextDeltaJson Delta)
{
    public string Type { get; } = "content_block_delta";
}

internal sealed record TextDeltaJson(string Text)
{
    public string Type { get; } = "text_delta";
}

internal sealed record BlockStopJson(int Index)
{
    public string Type { get; } = "content_block_stop";
}

internal sealed record MessageDeltaJson(StopJson Delta, MessageUsageJson Usage)
{
    public string Type { get; } = "message_delta";
}

internal sealed record StopJson(string StopReason, string? StopSequence);

internal sealed record MessageStopJson
{
    public string Type { get; } = "message_stop";
}

internal sealed record TokenCountJson(int InputTokens);

internal sealed record MessageErrorJson(MessageFailureJson Error, string RequestId)
{
    public string Type { get; } = "error";

    public static MessageErrorJson Of(ApiException error, string requestId) => new(new MessageFailureJson(TypeOf(error), error.Message), requestId);

    private static string TypeOf(ApiException error) => error.Status switch
    {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}

internal sealed record MessageFailureJson(string Type, string Message);

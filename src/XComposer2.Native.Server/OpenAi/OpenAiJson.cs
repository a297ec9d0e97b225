using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace XComposer2.Native.Server;

/// <summary>Responses of OpenAI's API and those of its kind: snake_case, absent instead of null, Chinese as it is.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ChatCompletionJson))]
[JsonSerializable(typeof(ChatChunkJson))]
[JsonSerializable(typeof(CompletionJson))]
[JsonSerializable(typeof(CompletionChunkJson))]
[JsonSerializable(typeof(ErrorResponseJson))]
[JsonSerializable(typeof(ModelJson))]
[JsonSerializable(typeof(ModelListJson))]
[JsonSerializable(typeof(HealthJson))]
[JsonSerializable(typeof(PropertiesJson))]
[JsonSerializable(typeof(TokensJson))]
[JsonSerializable(typeof(TextJson))]
[JsonSerializable(typeof(PromptJson))]
internal sealed partial class OpenAiJson : JsonSerializerContext
{
    public static OpenAiJson Lines { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}

internal sealed record ErrorResponseJson(ErrorJson Error)
{
    public static ErrorResponseJson Of(ApiException error) => new(new ErrorJson(error.Message, error.Type) { Param = error.Parameter, Code = error.Code });
}

internal sealed record ErrorJson(string Message, string Type)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Param { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Code { get; init; }
}

internal sealed record UsageJson(int PromptTokens, int CompletionTokens, int TotalTokens, PromptDetailsJson PromptTokensDetails)
{
    /// <summary>Answers to the same prompt share it: it counts once.</summary>
    public static UsageJson Of(IReadOnlyList<IReadOnlyList<GenerationResult>> prompts)
    {
        int prompt = prompts.Sum(answers => answers[0].Usage.PromptTokens), completion = prompts.Sum(answers => answers.Sum(answer => answer.Usage.CompletionTokens));
        return new UsageJson(prompt, completion, prompt + completion, new PromptDetailsJson(prompts.Sum(answers => answers[0].Usage.CachedTokens), prompts.Sum(answers => answers[0].Usage.ImageTokens)));
    }
}

internal sealed record PromptDetailsJson(int CachedTokens, int ImageTokens);

/// <summary>Where the time of an answer went, in milliseconds.</summary>
internal sealed record TimingsJson(
    int CacheN, int PromptN, double PromptMs, double PromptPerSecond, int PredictedN, double PredictedMs, double PredictedPerSecond, double QueueMs, double DecodeImageMs, double VisionMs)
{
    public static TimingsJson Of(GenerationResult result)
    {
        (TokenUsage usage, GenerationTimings timings) = (result.Usage, result.Timings);
        int read = usage.PromptTokens - usage.CachedTokens;
        return new TimingsJson(
            usage.CachedTokens, read, Milliseconds(timings.Prefill), PerSecond(read, timings.Prefill), usage.CompletionTokens, Milliseconds(timings.Decode),
            PerSecond(timings.DecodeSteps, timings.Decode), Milliseconds(timings.Waiting), Milliseconds(timings.ImageDecode), Milliseconds(timings.Vision));
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);

    private static double PerSecond(int count, TimeSpan time) => time <= TimeSpan.Zero ? 0 : Math.Round(count / time.TotalSeconds, 2);
}

internal sealed record TokenLogprobJson(string Token, float Logprob, int[] Bytes)
{
    public IReadOnlyList<TokenLogprobJson>? TopLogprobs { get; init; }
}

internal sealed record LogprobsJson(IReadOnlyList<TokenLogprobJson> Content);

internal sealed record ChatCompletionJson(string Id, string Object, long Created, string Model, IReadOnlyList<ChatChoiceJson> Choices, UsageJson Usage, TimingsJson Timings);

internal sealed record ChatChoiceJson(int Index, MessageJson Message, string FinishReason)
{
    public LogprobsJson? Logprobs { get; init; }
}

internal sealed record MessageJson(string Role, string Content);

internal sealed record ChatChunkJson(string Id, string Object, long Created, string Model, IReadOnlyList<ChunkChoiceJson> Choices)
{
    public UsageJson? Usage { get; init; }

    public TimingsJson? Timings { get; init; }
}

internal sealed record ChunkChoiceJson(int Index, DeltaJson Delta)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FinishReason { get; init; }

    public LogprobsJson? Logprobs { get; init; }
}

internal sealed record DeltaJson(string? Role = null, string? Content = null);

internal sealed record CompletionJson(string Id, string Object, long Created, string Model, IReadOnlyList<CompletionChoiceJson> Choices, UsageJson Usage, TimingsJson Timings);

internal sealed record CompletionChunkJson(string Id, string Object, long Created, string Model, IReadOnlyList<CompletionChoiceJson> Choices)
{
    public UsageJson? Usage { get; init; }
}

internal sealed record CompletionChoiceJson(int Index, string Text)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FinishReason { get; init; }

    public CompletionLogprobsJson? Logprobs { get; init; }
}

internal sealed record CompletionLogprobsJson(
    IReadOnlyList<string> Tokens, IReadOnlyList<float> TokenLogprobs, IReadOnlyList<Dictionary<string, float>> TopLogprobs, IReadOnlyList<int> TextOffset);

internal sealed record ModelListJson(string Object, IReadOnlyList<ModelJson> Data);

internal sealed record ModelJson(string Id, string Object, long Created, string OwnedBy, int MaxModelLen);

internal sealed record HealthJson(string Status);

internal sealed record PropertiesJson(
    string Model, string Device, string Version, int TotalSlots, int NCtx, int MaxPromptTokens, int TokensPerImage, string PromptStyle, ModalitiesJson Modalities, DefaultsJson DefaultGenerationSettings, ComposeJson Compose, bool IsSleeping)
{
    /// <summary>Side of the square that the model sees, in pixels.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Bytes of a request.</summary>
    public required long MaxBodyBytes { get; init; }

    /// <summary>Pictures of a request.</summary>
    public required int MaxImages { get; init; }

    /// <summary>Pixels of a picture.</summary>
    public required long MaxImagePixels { get; init; }
}

/// <param name="Available">Articles are kept.</param>
/// <param name="Source">What is searched for pictures; absent for nothing.</param>
/// <param name="MaxFigures">Of an article.</param>
/// <param name="DefaultFigures">Where a request says nothing.</param>
/// <param name="MaxPictures">Own pictures of an article.</param>
internal sealed record ComposeJson(bool Available, string? Source, int MaxFigures, int DefaultFigures, int MaxPictures);

internal sealed record ModalitiesJson(bool Vision, bool Audio);

internal sealed record DefaultsJson(float Temperature, float TopP, int TopK, float RepetitionPenalty, int MaxTokens);

internal sealed record TokensJson(IReadOnlyList<int> Tokens, int Count, int MaxModelLen);

internal sealed record TextJson(string Content);

internal sealed record PromptJson(string Prompt);

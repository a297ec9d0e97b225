using System.Text;
using Microsoft.Extensions.AI;
using XComposer2.Native.Model;

namespace XComposer2.Native.Extensions.AI;

/// <summary>Messages and options of Microsoft.Extensions.AI in the engine's terms.</summary>
/// <param name="System">Text of the system turn; null for the prompt style's own.</param>
/// <param name="Turns">The last one without an answer.</param>
/// <param name="Pictures">Of all turns, in order.</param>
/// <param name="Generation">Checked by the engine.</param>
internal sealed record ClientRequest(string? System, IReadOnlyList<ChatTurn> Turns, IReadOnlyList<ImageInput> Pictures, GenerationOptions Generation)
{
    private const string PromptStyleKey = "prompt_style", RepetitionPenaltyKey = "repetition_penalty", AnswerPrefixKey = "answer_prefix", BeamsKey = "num_beams";

    /// <summary>Null for the model's own.</summary>
    public string? PromptStyle { get; init; }

    /// <summary>Beginning of the answer; usually empty.</summary>
    public string AnswerPrefix { get; init; } = "";

    /// <exception cref="NotSupportedException">An option or a content is not supported.</exception>
    /// <exception cref="PromptException">The messages are no conversation.</exception>
    public static ClientRequest Of(IEnumerable<ChatMessage> messages, ChatOptions? options, XComposerEngine engine, string model)
    {
        options ??= new ChatOptions();
        RefuseUnsupported(options, model);
        var system = options.Instructions is { } instructions ? new StringBuilder(instructions) : null;
        List<ChatTurn> turns = [];
        List<ImageInput> pictures = [];
        QuestionText? question = null;
        StringBuilder? answer = null;
        foreach (ChatMessage message in messages)
        {
            if (message.Role == ChatRole.System)
            {
                if (question is not null || turns.Count > 0)
                    throw new PromptException("a system message must precede all others");
                AppendLine(system ??= new StringBuilder(), TextOf(message));
            }
            else if (message.Role == ChatRole.User)
            {
                EndTurn();
                AppendContents(question ??= new QuestionText(), message, pictures);
            }
            else if (message.Role == ChatRole.Assistant && question is not null)
            {
                AppendLine(answer ??= new StringBuilder(), TextOf(message));
            }
            else
            {
                throw new PromptException($"a message of {message.Role.Value} is not expected here");
            }
        }

        if (question is null || answer is not null)
            throw new PromptException("the last message must be of the user");
        turns.Add(new ChatTurn(question.Text, question.Pictures, null));
        return new ClientRequest(system?.ToString(), turns, pictures, GenerationOf(options))
        {
            PromptStyle = options.AdditionalProperties?.GetValueOrDefault(PromptStyleKey) as string,
            AnswerPrefix = options.AdditionalProperties?.GetValueOrDefault(AnswerPrefixKey) as string ?? "",
        };

        void EndTurn()
        {
            if (answer is null)
                return;
            turns.Add(new ChatTurn(question!.Text, question.Pictures, engine.Tokenizer.EncodeUserText(answer.ToString())));
            (question, answer) = (null, null);
        }
    }

    private static void AppendLine(StringBuilder text, string added)
    {
        if (text.Length > 0)
            text.Append('\n');
        text.Append(added);
    }

    private static string TextOf(ChatMessage message) => message.Contents.FirstOrDefault(content => content is not TextContent) is { } other
        ? throw new NotSupportedException($"{other.GetType().Name} in a message of {message.Role.Value} is not supported")
        : message.Text;

    private static void AppendContents(QuestionText question, ChatMessage message, List<ImageInput> pictures)
    {
        foreach (AIContent content in message.Contents)
        {
            if (content is TextContent { Text: var text })
            {
                question.AddText(text);
                continue;
            }

            pictures.Add(PictureOf(content));
            question.AddPicture();
        }
    }

    private static ImageInput PictureOf(AIContent content)
    {
        switch (content)
        {
            case DataContent data when data.HasTopLevelMediaType("image"):
                return ImageInput.FromBytes(data.Data, data.Name ?? "picture");
            case UriContent { Uri.Scheme: "file" } file:
                return ImageInput.FromFile(file.Uri.LocalPath);
            case UriContent { Uri.Scheme: "data" } embedded:
                return PictureOf(new DataContent(embedded.Uri, embedded.MediaType));
            case UriContent other:
                throw new NotSupportedException($"a picture at {other.Uri.Scheme}: is not loaded; download it and add it as DataContent");
            default:
                throw new NotSupportedException($"{content.GetType().Name} is not supported: questions have texts and pictures");
        }
    }

    private static GenerationOptions GenerationOf(ChatOptions options)
    {
        var defaults = new GenerationOptions();
        return defaults with
        {
            Greedy = options.Temperature == 0,
            Temperature = options.Temperature is { } temperature and not 0 ? temperature : defaults.Temperature,
            TopP = options.TopP ?? defaults.TopP,
            TopK = options.TopK ?? defaults.TopK,
            RepetitionPenalty = options.AdditionalProperties?.GetValueOrDefault(RepetitionPenaltyKey) is { } penalty ? Convert.ToSingle(penalty, global::System.Globalization.CultureInfo.InvariantCulture) : defaults.RepetitionPenalty,
            Beams = options.AdditionalProperties?.GetValueOrDefault(BeamsKey) is { } beams ? Convert.ToInt32(beams, global::System.Globalization.CultureInfo.InvariantCulture) : defaults.Beams,
            FrequencyPenalty = options.FrequencyPenalty ?? 0,
            PresencePenalty = options.PresencePenalty ?? 0,
            MaxTokens = options.MaxOutputTokens ?? defaults.MaxTokens,
            Seed = options.Seed is { } seed ? unchecked((ulong)seed) : null,
            Stop = options.StopSequences is { } stops ? [.. stops] : [],
            Format = options.ResponseFormat switch
            {
                ChatResponseFormatJson { Schema: { } schema } => AnswerFormat.OfJsonSchema(schema.GetRawText()),
                ChatResponseFormatJson => AnswerFormat.JsonObject,
                _ => null,
            },
        };
    }

    private static void RefuseUnsupported(ChatOptions options, string model)
    {
        string? refused = options switch
        {
            { Tools.Count: > 0 } or { ToolMode: RequiredChatToolMode } => "tools: this model does not call tools",
            { ConversationId: not null } => "ConversationId: nothing is stored; send the whole conversation",
            { ModelId: { } id } when id != model => $"ModelId: expected {model}, the loaded model, found {id}",
            { RawRepresentationFactory: not null } => "RawRepresentationFactory",
            { Reasoning: not null } => "Reasoning: this model does not think aloud",
            _ => options.AdditionalProperties?.Keys.FirstOrDefault(key => key is not (PromptStyleKey or RepetitionPenaltyKey or AnswerPrefixKey or BeamsKey)) is { } unknown ? $"AdditionalProperties: {unknown}" : null,
        };
        if (refused is not null)
            throw new NotSupportedException($"{refused} (not supported)");
    }
}

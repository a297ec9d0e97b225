using System.Text;
using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>A conversation as a request describes it.</summary>
/// <param name="System">Text of the system turn; null for the prompt style's own.</param>
/// <param name="Turns">The last one without an answer.</param>
/// <param name="Pictures">Of all turns, in order.</param>
/// <param name="AnswerPrefix">Beginning of the answer; usually empty.</param>
internal sealed record ChatPrompt(string? System, IReadOnlyList<ChatTurn> Turns, IReadOnlyList<PictureReference> Pictures, string AnswerPrefix)
{
    /// <exception cref="PromptException">Placeholders and pictures differ in number, or a question is empty.</exception>
    public IReadOnlyList<PromptPiece> Render(ChatTemplate template) => template.Render(System, Turns, AnswerPrefix);
}

/// <summary>Reads messages: a system text first, then questions and answers in turn. Neighbouring messages of one role are one turn.</summary>
/// <param name="tokenizer">Encodes earlier answers.</param>
/// <param name="continuesAnswer">The last message may be the beginning of the answer.</param>
internal sealed class ChatMessages(TextTokenizer tokenizer, bool continuesAnswer)
{
    private const int MaximumMessages = 2048, MaximumParts = 1024;

    private readonly List<ChatTurn> turns = [];
    private readonly List<PictureReference> pictures = [];
    private readonly StringBuilder system = new();
    private QuestionText? question;
    private StringBuilder? answer;
    private int characters;

    /// <param name="request">Has "messages".</param>
    /// <param name="tokenizer">Encodes earlier answers.</param>
    /// <exception cref="ApiException">The messages are no conversation.</exception>
    public static ChatPrompt Read(RequestFields request, TextTokenizer tokenizer)
    {
        var reader = new ChatMessages(tokenizer, request.Flag("continue_final_message"));
        return reader.Read(request, request.TryGet("messages", out _) ? null : throw ApiException.Invalid("messages", "messages is required"));
    }

    /// <param name="request">Has messages.</param>
    /// <param name="systemText">Before all messages; null for none.</param>
    /// <param name="field">The array of messages.</param>
    /// <exception cref="ApiException">The messages are no conversation.</exception>
    public ChatPrompt Read(RequestFields request, string? systemText, string field = "messages")
    {
        if (systemText is not null)
            system.Append(systemText);
        bool hasSystem = systemText is not null;
        foreach ((JsonElement value, string name) in request.Elements(field, MaximumMessages))
        {
            RequestFields message = RequestFields.Of(value, name);
            string role = message.RequiredText("role");
            switch (role)
            {
                case "system" or "developer":
                    if (question is not null || turns.Count > 0)
                        throw ApiException.Invalid(message.NameOf("role"), $"{name}: a system message must precede all others");
                    AppendLine(system, TextOnly(message));
                    hasSystem = true;
                    break;
                case "user":
                    EndTurn();
                    Append(question ??= new QuestionText(), message);
                    break;
                case "assistant":
                    if (question is null)
                        throw ApiException.Invalid(message.NameOf("role"), $"{name}: an answer without a question");
                    AppendLine(answer ??= new StringBuilder(), TextOnly(message));
                    break;
                default:
                    throw ApiException.Unexpected(message.NameOf("role"), "system, developer, user or assistant", $"'{role}'");
            }
        }

        if (question is null)
            throw ApiException.Invalid(field, $"{field}: expected a question of the user");
        if (answer is not null && !continuesAnswer)
            throw ApiException.Invalid(field, $"{field}: the last one must be of the user; with continue_final_message it may be the beginning of the answer");
        turns.Add(new ChatTurn(question.Text, question.Pictures, null));
        return new ChatPrompt(hasSystem ? system.ToString() : null, turns, pictures, answer?.ToString() ?? "");
    }

    private void Append(QuestionText to, RequestFields message)
    {
        foreach (Part part in Counted(message))
        {
            if (part.Text is null)
            {
                pictures.Add(new PictureReference(part.Picture, part.Name));
                to.AddPicture();
                continue;
            }

            try
            {
                to.AddText(part.Text);
            }
            catch (PromptException error)
            {
                throw ApiException.Invalid(part.Name, $"{part.Name}: {error.Message}");
            }
        }
    }

    private void EndTurn()
    {
        if (answer is null)
            return;
        turns.Add(new ChatTurn(question!.Text, question.Pictures, tokenizer.EncodeUserText(answer.ToString())));
        question = null;
        answer = null;
    }

    private static void AppendLine(StringBuilder text, string added)
    {
        if (text.Length > 0)
            text.Append('\n');
        text.Append(added);
    }

    // Texts are tokenised before their tokens are counted: all of them together have the limit of one.
    private IEnumerable<Part> Counted(RequestFields message)
    {
        foreach (Part part in Parts(message))
        {
            characters += part.Text?.Length ?? 0;
            yield return characters <= RequestFields.MaximumTextLength ? part : throw ApiException.Invalid(part.Name, $"the messages have more than {RequestFields.MaximumTextLength} characters", "context_length_exceeded");
        }
    }

    private string TextOnly(RequestFields message)
    {
        var text = new StringBuilder();
        foreach (Part part in Counted(message))
            AppendLine(text, part.Text ?? throw ApiException.Invalid(part.Name, $"{part.Name}: pictures belong to messages of the user"));
        return text.ToString();
    }

    private static IEnumerable<Part> Parts(RequestFields message)
    {
        if (!message.TryGet("content", out JsonElement content))
            throw ApiException.Invalid(message.NameOf("content"), $"{message.NameOf("content")} is required");
        string name = message.NameOf("content");
        return content.ValueKind == JsonValueKind.String
            ? [new Part(RequestFields.TextOf(content, name), default, name)]
            : message.Elements("content", MaximumParts).Select(part => ReadPart(RequestFields.Of(part.Value, part.Name), part.Name));
    }

    // OpenAI's parts, and those of Anthropic's messages.
    private static Part ReadPart(RequestFields part, string name)
    {
        string type = part.RequiredText("type");
        switch (type)
        {
            case "text" or "input_text" or "output_text":
                return new Part(part.RequiredText("text"), default, name);
            case "image_url" or "input_image":
                if (!part.TryGet("image_url", out JsonElement url))
                    throw ApiException.Invalid(part.NameOf("image_url"), $"{part.NameOf("image_url")} is required");
                string field = part.NameOf("image_url");
                if (url.ValueKind == JsonValueKind.Object)
                {
                    RequestFields nested = RequestFields.Of(url, field);
                    field = nested.NameOf("url");
                    if (!nested.TryGet("url", out url))
                        throw ApiException.Invalid(field, $"{field} is required");
                }

                return new Part(null, url, field);
            case "image":
                RequestFields source = part.Nested("source") ?? throw ApiException.Invalid(part.NameOf("source"), $"{part.NameOf("source")} is required");
                string kind = source.RequiredText("type"), data = kind == "url" ? "url" : "data";
                if (kind is not ("base64" or "url"))
                    throw ApiException.Unexpected(source.NameOf("type"), "base64 or url", $"'{kind}'");
                return source.TryGet(data, out JsonElement bytes) ? new Part(null, bytes, source.NameOf(data)) : throw ApiException.Invalid(source.NameOf(data), $"{source.NameOf(data)} is required");
            default:
                throw ApiException.Unexpected(part.NameOf("type"), "text or image_url", $"'{type}'");
        }
    }

    /// <summary>A text, or a picture.</summary>
    private readonly record struct Part(string? Text, JsonElement Picture, string Name);
}

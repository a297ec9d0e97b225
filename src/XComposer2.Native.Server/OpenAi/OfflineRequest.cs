using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>A chat request that arrives without a connection: the body of a line of a batch file, read as <c>/v1/chat/completions</c> reads it.</summary>
/// <param name="Pieces">The prompt.</param>
/// <param name="Pictures">Of the prompt, encoded.</param>
/// <param name="StopIds">End marks.</param>
/// <param name="Options">As asked; without a seed where the request has none.</param>
/// <param name="HeldBytes">Of the pictures.</param>
internal sealed record OfflineRequest(IReadOnlyList<PromptPiece> Pieces, IReadOnlyList<ImageInput> Pictures, IReadOnlyList<int> StopIds, GenerationOptions Options, long HeldBytes)
{
    /// <summary>The one address that a line may name.</summary>
    public const string Address = "/v1/chat/completions";

    /// <param name="body">The request.</param>
    /// <param name="engine">Whose template and tokenizer are used.</param>
    /// <param name="loader">Loads data URLs.</param>
    /// <param name="cancellation">Stops loading.</param>
    /// <exception cref="ApiException">The request is malformed, asks for what is not supported, or a picture is none.</exception>
    /// <exception cref="PromptException">Placeholders and pictures differ in number, or a question is empty.</exception>
    public static OfflineRequest Read(JsonElement body, XComposerEngine engine, PictureLoader loader, CancellationToken cancellation)
    {
        RequestFields fields = RequestFields.Of(body);
        GenerationOptions options = SamplingFields.WithFormat(fields, SamplingFields.WithChatLogProbs(fields, SamplingFields.Read(fields)));
        if (fields.Integer("n", 1, int.MaxValue) is > 1)
            throw ApiException.Unsupported("n", "n: a request of a batch has one answer");
        if (fields.Flag("stream"))
            throw ApiException.Unsupported("stream", "stream: a batch has no streams");
        ChatTemplate template = TemplateOf(fields, engine);
        ChatPrompt prompt = ChatMessages.Read(fields, engine.Tokenizer);
        List<ImageInput> pictures = [];
        long heldBytes = 0;
        foreach (PictureReference reference in prompt.Pictures)
        {
            byte[] bytes = loader.FileAsync(reference, cancellation).GetAwaiter().GetResult();
            heldBytes += bytes.Length;
            pictures.Add(ImageInput.FromBytes(bytes, reference.Name));
        }

        return new OfflineRequest(prompt.Render(template), pictures, fields.Flag("ignore_eos") ? [] : template.StopIds, options, heldBytes);
    }

    /// <summary>The body of the response: that of the server, without times and what depends on other requests, so that a repeated run has the same bytes.</summary>
    public static void WriteBody(Utf8JsonWriter writer, string id, string model, GenerationResult result, GenerationOptions options, TextTokenizer tokenizer)
    {
        writer.WriteStartObject();
        writer.WriteString("id", id);
        writer.WriteString("object", "chat.completion");
        writer.WriteNumber("created", 0);
        writer.WriteString("model", model);
        writer.WriteStartArray("choices");
        writer.WriteStartObject();
        writer.WriteNumber("index", 0);
        writer.WriteStartObject("message");
        writer.WriteString("role", "assistant");
        writer.WriteString("content", result.Text);
        writer.WriteNull("refusal");
        writer.WriteEndObject();
        writer.WritePropertyName("logprobs");
        if (TokenText.Logprobs(tokenizer, result.LogProbs, options) is { } scores)
            JsonSerializer.Serialize(writer, scores, OpenAiJson.Lines.LogprobsJson);
        else
            writer.WriteNullValue();
        writer.WriteString("finish_reason", ChatAnswer.FinishName(result.FinishReason));
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteStartObject("usage");
        writer.WriteNumber("prompt_tokens", result.Usage.PromptTokens);
        writer.WriteNumber("completion_tokens", result.Usage.CompletionTokens);
        writer.WriteNumber("total_tokens", result.Usage.PromptTokens + result.Usage.CompletionTokens);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static ChatTemplate TemplateOf(RequestFields fields, XComposerEngine engine)
    {
        try
        {
            return engine.TemplateOf(fields.Text("prompt_style", maximumLength: 20));
        }
        catch (PromptException error)
        {
            throw ApiException.Invalid("prompt_style", error.Message);
        }
    }
}

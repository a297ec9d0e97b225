using System.Runtime.CompilerServices;
using System.Text.Json;
using XComposer2.Native.Batch;
using XComposer2.Native.Server;

namespace XComposer2.Native.Cli;

/// <summary>Requests of OpenAI's batch files: custom_id, method, url and body in each line.</summary>
/// <param name="name">The file.</param>
/// <param name="engine">Whose template and tokenizer the requests use; not owned.</param>
internal sealed class OpenAiInput(string name, XComposerEngine engine) : IBatchInput
{
    public string Name => name;

    public long? Count(CancellationToken cancellation) => InputFile.CountLines(name, JsonLinesInput.LongestLineBytes, cancellation);

    public async IAsyncEnumerable<InputRow> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        using PictureLoader loader = new(new ServerOptions());
        using FileStream file = InputFile.Open(name);
        Dictionary<string, long> lines = new(StringComparer.Ordinal);
        foreach (ByteLine line in InputFile.Lines(name, file, JsonLinesInput.LongestLineBytes, cancellation))
            yield return Row(line, lines, loader, cancellation);
    }

    private InputRow Row(in ByteLine line, Dictionary<string, long> lines, PictureLoader loader, CancellationToken cancellation)
    {
        string place = $"{name}, line {line.Number}", id = $"line {line.Number}";
        if (line.IsTooLong)
            return InputRow.Unreadable(id, place, $"expected a request, found more than {JsonLinesInput.LongestLineBytes} bytes");
        try
        {
            using JsonDocument document = JsonDocument.Parse(line.Bytes);
            RequestFields fields = RequestFields.Of(document.RootElement);
            string custom = fields.RequiredText("custom_id");
            if (!lines.TryAdd(custom, line.Number))
                return InputRow.Unreadable(custom, place, $"custom_id: '{custom}' is that of line {lines[custom]} too");
            id = custom;
            if (fields.RequiredText("method") is var method && method != "POST")
                return InputRow.Unreadable(id, place, $"method: expected POST, found {RequestFields.Quote(method)}");
            if (fields.RequiredText("url") is var url && url != OfflineRequest.Address)
                return InputRow.Unreadable(id, place, $"url: expected {OfflineRequest.Address}, found {RequestFields.Quote(url)}");
            if (!fields.TryGet("body", out JsonElement body))
                return InputRow.Unreadable(id, place, "body is required");
            return new InputRow { Id = id, Place = place, Request = new Request(OfflineRequest.Read(body, engine, loader, cancellation)) };
        }
        catch (JsonException error)
        {
            return InputRow.Unreadable(id, place, $"expected a request: {error.Message}");
        }
        catch (ApiException error)
        {
            return InputRow.Unreadable(id, place, error.Message, error.Code is "invalid_image" or "image_too_large" ? FailureKind.Picture : error.Code is "context_length_exceeded" ? FailureKind.Context : FailureKind.Input);
        }
        catch (Model.PromptException error)
        {
            return InputRow.Unreadable(id, place, error.Message, FailureKind.Prompt);
        }
    }

    private sealed class Request(OfflineRequest request) : IRowRequest
    {
        public GenerationOptions Options => request.Options;

        public IReadOnlyList<int> StopIds => request.StopIds;

        public long HeldBytes => request.HeldBytes;

        public BatchPrompt Open(CancellationToken cancellation) => new(request.Pieces, request.Pictures);
    }
}

/// <summary>Results in the layout of OpenAI's batch output: id, custom_id, response, error.</summary>
/// <param name="engine">Whose tokens log-probabilities name; not owned.</param>
/// <param name="model">Its name in responses.</param>
internal sealed class OpenAiFormat(XComposerEngine engine, string model) : ResultFormat
{
    private const int Ok = 200, BadRequest = 400, TimedOut = 504;

    public override void Write(Utf8JsonWriter writer, in JudgedResult judged)
    {
        BatchResult<RowSource> result = judged.Result;
        writer.WriteStartObject();
        writer.WriteString("id", $"batch_req_{result.Number}");
        writer.WriteString("custom_id", result.Id);
        writer.WriteStartObject("response");
        writer.WriteNumber("status_code", result.Answer is not null ? Ok : result.Failure is { Kind: FailureKind.Timeout } ? TimedOut : BadRequest);
        writer.WriteString("request_id", $"req_{result.Number}");
        writer.WritePropertyName("body");
        if (result.Answer is { } answer)
            OfflineRequest.WriteBody(writer, $"chatcmpl-{result.Number}", model, answer, result.Options, engine.Tokenizer);
        else
            WriteError(writer, result.Failure!);
        writer.WriteEndObject();
        writer.WriteNull("error");
        writer.WriteEndObject();
    }

    public override WrittenResult Read(JsonElement line)
    {
        if (!line.TryGetProperty("custom_id", out JsonElement id) || id.ValueKind != JsonValueKind.String || !line.TryGetProperty("response", out JsonElement response) || response.ValueKind != JsonValueKind.Object
            || !response.TryGetProperty("status_code", out JsonElement status) || !status.TryGetInt32(out int code))
            throw new BatchException("expected a result with custom_id and response.status_code");
        return new WrittenResult(id.GetString()!, code == Ok ? ResultStatus.Ok : ResultStatus.Error, null);
    }

    private static void WriteError(Utf8JsonWriter writer, SampleFailure failure)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("error");
        writer.WriteString("message", failure.Message);
        writer.WriteString("type", failure.Kind == FailureKind.Timeout ? ApiException.TimedOut : ApiException.InvalidRequest);
        writer.WriteNull("param");
        writer.WriteString("code", failure.Code);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}

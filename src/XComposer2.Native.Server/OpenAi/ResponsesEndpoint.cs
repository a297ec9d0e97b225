using System.Text.Json;
using Microsoft.AspNetCore.Http;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary><c>POST /v1/responses</c>, its text, picture and streaming parts. Nothing is stored: each request brings its whole conversation.</summary>
internal sealed class ResponsesEndpoint(ServerState server)
{
    public async Task HandleAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        RequestFields fields = request.Fields;
        RefuseUnsupported(fields);
        GenerationOptions options = Options(fields);
        ChatPrompt prompt = Read(fields, engine.Tokenizer);
        ChatTemplate template = engine.TemplateOf(fields);
        using AnswerRun run = await AnswerRun.StartAsync(request, engine, [new AnswerPlan(prompt.Render(template), [], template.StopIds, options, 1)], prompt.Pictures).ConfigureAwait(false);
        var answer = new ResponseAnswer(request.NewId("resp"), request.NewId("msg"), engine.Name);
        if (fields.Flag("stream"))
            await StreamAsync(request, run, answer).ConfigureAwait(false);
        else
            await request.RespondAsync(answer.Whole((await run.FinishAsync().ConfigureAwait(false))[0]), ResponsesJson.Lines.ResponseJson).ConfigureAwait(false);
    }

    private async Task StreamAsync(ApiRequest request, AnswerRun run, ResponseAnswer answer)
    {
        var stream = new EventStream(request.Http.Response, server.Options.KeepAlive);
        await stream.BeginAsync().ConfigureAwait(false);
        int number = 0;
        await SendAsync(new ResponseEventJson("response.created") { Response = answer.Begun }).ConfigureAwait(false);
        await SendAsync(new ResponseEventJson("response.in_progress") { Response = answer.Begun }).ConfigureAwait(false);
        await SendAsync(new ResponseEventJson("response.output_item.added") { OutputIndex = 0, Item = answer.Item("in_progress", null) }).ConfigureAwait(false);
        await SendAsync(answer.PartEvent("response.content_part.added") with { Part = new OutputTextJson("") }).ConfigureAwait(false);
        await foreach (AnswerEvent next in run.EventsAsync(stream).ConfigureAwait(false))
            if (next.Delta is { } delta)
                await SendAsync(answer.PartEvent("response.output_text.delta") with { Delta = delta.Text, Logprobs = [] }).ConfigureAwait(false);
        GenerationResult result = run.Results[0];
        await SendAsync(answer.PartEvent("response.output_text.done") with { Text = result.Text, Logprobs = [] }).ConfigureAwait(false);
        await SendAsync(answer.PartEvent("response.content_part.done") with { Part = new OutputTextJson(result.Text) }).ConfigureAwait(false);
        ResponseJson whole = answer.Whole(result);
        await SendAsync(new ResponseEventJson("response.output_item.done") { OutputIndex = 0, Item = whole.Output[0] }).ConfigureAwait(false);
        await SendAsync(new ResponseEventJson($"response.{whole.Status}") { Response = whole }).ConfigureAwait(false);

        Task SendAsync(ResponseEventJson next) => stream.SendAsync(next with { SequenceNumber = number++ }, ResponsesJson.Lines.ResponseEventJson, next.Type);
    }

    private static void RefuseUnsupported(RequestFields fields)
    {
        if (fields.Has("previous_response_id") || fields.Has("conversation"))
            throw ApiException.Unsupported("previous_response_id", "previous_response_id, conversation: nothing is stored; send the whole conversation as input");
        if (fields.Flag("background"))
            throw ApiException.Unsupported("background", "background: not supported");
    }

    private static GenerationOptions Options(RequestFields fields)
    {
        GenerationOptions options = SamplingFields.Read(fields);
        options = options with { MaxTokens = fields.Integer("max_output_tokens", 1, int.MaxValue) ?? options.MaxTokens };
        if (fields.Nested("text")?.Nested("format") is not { } format)
            return options;
        string type = format.RequiredText("type");
        return options with
        {
            Format = type switch
            {
                "text" => null,
                "json_object" => AnswerFormat.JsonObject,
                "json_schema" => SamplingFields.OfSchema(format),
                _ => throw ApiException.Unexpected(format.NameOf("type"), "text, json_object or json_schema", $"'{type}'"),
            },
        };
    }

    private static ChatPrompt Read(RequestFields fields, TextTokenizer tokenizer)
    {
        if (!fields.TryGet("input", out JsonElement input))
            throw ApiException.Invalid("input", "input is required");
        string? instructions = fields.Text("instructions");
        return input.ValueKind == JsonValueKind.String
            ? new ChatPrompt(instructions, [new ChatTurn(RequestFields.TextOf(input, "input"), 0, null)], [], "")
            : new ChatMessages(tokenizer, continuesAnswer: false).Read(fields, instructions, "input");
    }
}

/// <summary>Writes the answer of one request of the Responses API.</summary>
internal sealed class ResponseAnswer(string id, string itemId, string model)
{
    private readonly long created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    public ResponseJson Begun => new(id, created, "in_progress", model, [], null);

    public ResponseJson Whole(GenerationResult result)
    {
        bool isCut = result.FinishReason == FinishReason.Length;
        string status = isCut ? "incomplete" : "completed";
        return new ResponseJson(id, created, status, model, [Item(status, result.Text)], ResponseUsageJson.Of(result.Usage)) { IncompleteDetails = isCut ? new IncompleteJson("max_output_tokens") : null };
    }

    public OutputItemJson Item(string status, string? text) => new(itemId, status, text is null ? [] : [new OutputTextJson(text)]);

    /// <summary>An event of the only part of the only item.</summary>
    public ResponseEventJson PartEvent(string type) => new(type) { ItemId = itemId, OutputIndex = 0, ContentIndex = 0 };
}

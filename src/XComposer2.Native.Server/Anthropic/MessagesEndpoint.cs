using System.Text.Json;
using Microsoft.AspNetCore.Http;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>Anthropic's API: <c>POST /v1/messages</c> and <c>/v1/messages/count_tokens</c>, their text, picture and streaming parts.</summary>
internal sealed class MessagesEndpoint(ServerState server)
{
    /// <summary>Errors below this path have Anthropic's form.</summary>
    public const string Path = "/v1/messages";

    private const int MaximumSystemParts = 64;

    public IEnumerable<Route> Routes => [new("POST", Path, HandleAsync), new("POST", Path + "/count_tokens", CountAsync)];

    private async Task HandleAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        RequestFields fields = request.Fields;
        GenerationOptions options = Options(fields);
        ChatPrompt prompt = Read(fields, engine.Tokenizer);
        ChatTemplate template = engine.TemplateOf(fields);
        IReadOnlyList<PromptPiece> pieces = prompt.Render(template);
        using AnswerRun run = await AnswerRun.StartAsync(request, engine, [new AnswerPlan(pieces, [], template.StopIds, options, 1)], prompt.Pictures).ConfigureAwait(false);
        string id = request.NewId("msg");
        if (!fields.Flag("stream"))
        {
            GenerationResult result = (await run.FinishAsync().ConfigureAwait(false))[0];
            await request.RespondAsync(new MessageResponseJson(id, engine.Name, [new ContentBlockJson(result.Text)], MessageUsageJson.Of(result)) { StopReason = StopReason(result), StopSequence = result.StopText }, AnthropicJson.Lines.MessageResponseJson).ConfigureAwait(false);
            return;
        }

        var stream = new EventStream(context.Response, server.Options.KeepAlive);
        await stream.BeginAsync().ConfigureAwait(false);
        var begun = new MessageResponseJson(id, engine.Name, [], new MessageUsageJson(engine.Engine.Answers.Count(pieces), 0, 0));
        await stream.SendAsync(new MessageStartJson(begun), AnthropicJson.Lines.MessageStartJson, "message_start").ConfigureAwait(false);
        await stream.SendAsync(new BlockStartJson(0, new ContentBlockJson("")), AnthropicJson.Lines.BlockStartJson, "content_block_start").ConfigureAwait(false);
        await foreach (AnswerEvent next in run.EventsAsync(stream).ConfigureAwait(false))
            if (next.Delta is { } delta)
                await stream.SendAsync(new BlockDeltaJson(0, new TextDeltaJson(delta.Text)), AnthropicJson.Lines.BlockDeltaJson, "content_block_delta").ConfigureAwait(false);
        GenerationResult whole = run.Results[0];
        await stream.SendAsync(new BlockStopJson(0), AnthropicJson.Lines.BlockStopJson, "content_block_stop").ConfigureAwait(false);
        await stream.SendAsync(new MessageDeltaJson(new StopJson(StopReason(whole), whole.StopText), MessageUsageJson.Of(whole)), AnthropicJson.Lines.MessageDeltaJson, "message_delta").ConfigureAwait(false);
        await stream.SendAsync(new MessageStopJson(), AnthropicJson.Lines.MessageStopJson, "message_stop").ConfigureAwait(false);
    }

    private async Task CountAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        IReadOnlyList<PromptPiece> pieces = Read(request.Fields, engine.Tokenizer).Render(engine.TemplateOf(request.Fields));
        await request.RespondAsync(new TokenCountJson(engine.Engine.Answers.Count(pieces)), AnthropicJson.Lines.TokenCountJson).ConfigureAwait(false);
    }

    private static GenerationOptions Options(RequestFields fields)
    {
        int limit = fields.Integer("max_tokens", 1, int.MaxValue) ?? throw ApiException.Invalid("max_tokens", "max_tokens is required");
        if (fields.Nested("thinking") is { } thinking && thinking.RequiredText("type") != "disabled")
            throw ApiException.Unsupported("thinking", "thinking: this model does not think aloud");
        return SamplingFields.Read(fields) with { MaxTokens = limit, Stop = SamplingFields.Stops(fields, "stop_sequences") };
    }

    // The last message may be the beginning of the answer, as in Anthropic's API.
    private static ChatPrompt Read(RequestFields fields, TextTokenizer tokenizer) => new ChatMessages(tokenizer, continuesAnswer: true).Read(fields, SystemOf(fields));

    private static string? SystemOf(RequestFields fields)
    {
        if (!fields.TryGet("system", out JsonElement system))
            return null;
        return system.ValueKind == JsonValueKind.String
            ? RequestFields.TextOf(system, "system")
            : string.Join('\n', fields.Elements("system", MaximumSystemParts).Select(part => RequestFields.Of(part.Value, part.Name).RequiredText("text")));
    }

    private static string StopReason(GenerationResult result) => result.FinishReason == FinishReason.Length ? "max_tokens" : result.StopText is null ? "end_turn" : "stop_sequence";
}

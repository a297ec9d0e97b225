using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace XComposer2.Native.Server;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatEndpoint(ServerState server)
{
    public async Task HandleAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        RequestFields fields = request.Fields;
        GenerationOptions options = SamplingFields.WithFormat(fields, SamplingFields.WithChatLogProbs(fields, SamplingFields.Read(fields)));
        int count = fields.Integer("n", 1, server.Options.MaxAnswers) ?? 1;
        bool isStream = fields.Flag("stream");
        bool includesUsage = fields.Nested("stream_options")?.Flag("include_usage") ?? false;
        var template = engine.TemplateOf(fields);
        ChatPrompt prompt = ChatMessages.Read(fields, engine.Tokenizer);
        var plan = new AnswerPlan(prompt.Render(template), [], fields.Flag("ignore_eos") ? [] : template.StopIds, options, count);
        using AnswerRun run = await AnswerRun.StartAsync(request, engine, [plan], prompt.Pictures).ConfigureAwait(false);
        var answer = new ChatAnswer(engine, request.NewId("chatcmpl"), options);
        if (isStream)
            await StreamAsync(request, run, answer, count, includesUsage).ConfigureAwait(false);
        else
            await request.RespondAsync(answer.Whole(await run.FinishAsync().ConfigureAwait(false)), OpenAiJson.Lines.ChatCompletionJson).ConfigureAwait(false);
    }

    private async Task StreamAsync(ApiRequest request, AnswerRun run, ChatAnswer answer, int count, bool includesUsage)
    {
        var stream = new EventStream(request.Http.Response, server.Options.KeepAlive);
        await stream.BeginAsync().ConfigureAwait(false);
        for (int index = 0; index < count; index++)
            await SendAsync(answer.Chunk(index, new DeltaJson("assistant", ""))).ConfigureAwait(false);
        await foreach (AnswerEvent next in run.EventsAsync(stream).ConfigureAwait(false))
            await SendAsync(next.Delta is { } delta ? answer.Chunk(next.Index, delta) : answer.End(next.Index, next.Result!)).ConfigureAwait(false);
        if (includesUsage)
            await SendAsync(answer.Usage(run.Results)).ConfigureAwait(false);
        await stream.SendDoneAsync().ConfigureAwait(false);

        Task SendAsync(ChatChunkJson chunk) => stream.SendAsync(chunk, OpenAiJson.Lines.ChatChunkJson);
    }
}

/// <summary>Writes the answers of one chat request.</summary>
internal sealed class ChatAnswer(LoadedEngine engine, string id, GenerationOptions options)
{
    private readonly long created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private readonly Dictionary<int, int> toldScores = [];

    public ChatCompletionJson Whole(IReadOnlyList<GenerationResult> results) => new(
        id, "chat.completion", created, engine.Name,
        [.. results.Select((result, index) => new ChatChoiceJson(index, new MessageJson("assistant", result.Text), FinishName(result.FinishReason)) { Logprobs = TokenText.Logprobs(engine.Tokenizer, result.LogProbs, options) })],
        UsageJson.Of([results]), TimingsJson.Of(results[0]));

    public ChatChunkJson Chunk(int index, DeltaJson delta) => Of([new ChunkChoiceJson(index, delta)]);

    public ChatChunkJson Chunk(int index, TextDelta delta)
    {
        toldScores[index] = toldScores.GetValueOrDefault(index) + delta.LogProbs.Count;
        return Of([new ChunkChoiceJson(index, new DeltaJson(Content: delta.Text)) { Logprobs = TokenText.Logprobs(engine.Tokenizer, delta.LogProbs, options) }]);
    }

    /// <summary>The last chunk of an answer, with the scores of tokens that have no text.</summary>
    public ChatChunkJson End(int index, GenerationResult result)
    {
        TokenScore[] rest = [.. result.LogProbs.Skip(toldScores.GetValueOrDefault(index))];
        LogprobsJson? logprobs = rest.Length == 0 ? null : TokenText.Logprobs(engine.Tokenizer, rest, options);
        return Of([new ChunkChoiceJson(index, new DeltaJson()) { FinishReason = FinishName(result.FinishReason), Logprobs = logprobs }]) with { Timings = TimingsJson.Of(result) };
    }

    public ChatChunkJson Usage(IReadOnlyList<GenerationResult> results) => Of([]) with { Usage = UsageJson.Of([results]) };

    public static string FinishName(FinishReason reason) => reason == FinishReason.Length ? "length" : "stop";

    private ChatChunkJson Of(IReadOnlyList<ChunkChoiceJson> choices) => new(id, "chat.completion.chunk", created, engine.Name, choices);
}

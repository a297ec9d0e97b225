using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary><c>POST /v1/completions</c>: raw prompts, texts or ids, that no template changes. A text begins with BOS, and marks of turns in it are marks.</summary>
internal sealed class CompletionEndpoint(ServerState server)
{
    public const string Path = "/v1/completions";

    private const int MaximumPrompts = 64, MaximumIds = 1 << 20;

    public async Task HandleAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        RequestFields fields = request.Fields;
        int? logProbs = fields.Integer("logprobs", 0, 20);
        GenerationOptions options = SamplingFields.Read(fields) with { LogProbs = logProbs is not null, TopLogProbs = logProbs ?? 0 };
        if (!fields.Has("max_tokens") && !fields.Has("max_completion_tokens"))
            options = options with { MaxTokens = 16 };
        RefuseUnsupported(fields);
        int count = fields.Integer("n", 1, server.Options.MaxAnswers) ?? 1;
        IReadOnlyList<int> stopIds = fields.Flag("ignore_eos") ? [] : engine.Template.StopIds;
        AnswerPlan[] plans = [.. Prompts(fields, engine).Select(prompt => new AnswerPlan([PromptPiece.OfText(prompt)], [], stopIds, options, count))];
        using AnswerRun run = await AnswerRun.StartAsync(request, engine, plans, []).ConfigureAwait(false);
        var answer = new CompletionAnswer(engine, request.NewId("cmpl"), options, count);
        if (!fields.Flag("stream"))
        {
            await request.RespondAsync(answer.Whole(await run.FinishAsync().ConfigureAwait(false)), OpenAiJson.Lines.CompletionJson).ConfigureAwait(false);
            return;
        }

        var stream = new EventStream(context.Response, server.Options.KeepAlive);
        await stream.BeginAsync().ConfigureAwait(false);
        await foreach (AnswerEvent next in run.EventsAsync(stream).ConfigureAwait(false))
            await stream.SendAsync(answer.Chunk(next), OpenAiJson.Lines.CompletionChunkJson).ConfigureAwait(false);
        if (fields.Nested("stream_options")?.Flag("include_usage") == true)
            await stream.SendAsync(answer.Usage(run.Results), OpenAiJson.Lines.CompletionChunkJson).ConfigureAwait(false);
        await stream.SendDoneAsync().ConfigureAwait(false);
    }

    private static void RefuseUnsupported(RequestFields fields)
    {
        if (fields.Flag("echo"))
            throw ApiException.Unsupported("echo", "echo: not supported");
        if (fields.Has("suffix"))
            throw ApiException.Unsupported("suffix", "suffix: this model completes texts at their end only");
        if (fields.Integer("best_of", 1, int.MaxValue) is { } best && best != (fields.Integer("n", 1, int.MaxValue) ?? 1))
            throw ApiException.Unsupported("best_of", "best_of: expected n");
        if (fields.Has("response_format"))
            throw ApiException.Unsupported("response_format", "response_format: not supported here; use /v1/chat/completions");
    }

    private static ImmutableArray<int>[] Prompts(RequestFields fields, LoadedEngine engine)
    {
        if (!fields.TryGet("prompt", out JsonElement prompt))
            throw ApiException.Invalid("prompt", "prompt is required");
        bool addsBos = fields.Flag("add_special_tokens", absent: true);
        if (prompt.ValueKind == JsonValueKind.String)
            return [OfText(prompt, "prompt")];
        (JsonElement Value, string Name)[] elements = [.. fields.Elements("prompt", MaximumIds)];
        if (elements.Length > 0 && elements[0].Value.ValueKind == JsonValueKind.Number)
            return [OfIds(prompt, "prompt")];
        if (elements.Length is 0 or > MaximumPrompts)
            throw ApiException.Unexpected("prompt", $"1 to {MaximumPrompts} prompts", $"{elements.Length}");
        return [.. elements.Select(element => element.Value.ValueKind == JsonValueKind.Array ? OfIds(element.Value, element.Name) : OfText(element.Value, element.Name))];

        ImmutableArray<int> OfText(JsonElement text, string name) =>
            NotEmpty([.. addsBos ? [engine.Tokenizer.BosId] : Array.Empty<int>(), .. engine.Tokenizer.Encode(RequestFields.TextOf(text, name))], name);

        ImmutableArray<int> OfIds(JsonElement ids, string name) => NotEmpty([.. ids.EnumerateArray().Select(id => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int number) && (uint)number < (uint)engine.Tokenizer.VocabularySize
            ? number
            : throw ApiException.Unexpected(name, $"ids of 0 to {engine.Tokenizer.VocabularySize - 1}", RequestFields.Show(id)))], name);

        static ImmutableArray<int> NotEmpty(ImmutableArray<int> ids, string name) => ids.IsEmpty ? throw ApiException.Unexpected(name, "at least one token", "none") : ids;
    }
}

/// <summary>Writes the answers of one completion request.</summary>
internal sealed class CompletionAnswer(LoadedEngine engine, string id, GenerationOptions options, int perPrompt)
{
    private readonly long created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private readonly Dictionary<int, (int Scores, int Characters)> told = [];

    public CompletionJson Whole(IReadOnlyList<GenerationResult> results) => new(
        id, "text_completion", created, engine.Name,
        [.. results.Select((result, index) => new CompletionChoiceJson(index, result.Text) { FinishReason = ChatAnswer.FinishName(result.FinishReason), Logprobs = TokenText.CompletionLogprobs(engine.Tokenizer, result.LogProbs, options, 0) })],
        UsageOf(results), TimingsJson.Of(results[0]));

    public CompletionChunkJson Chunk(AnswerEvent next)
    {
        (int scores, int characters) = told.GetValueOrDefault(next.Index);
        if (next.Delta is { } delta)
        {
            told[next.Index] = (scores + delta.LogProbs.Count, characters + delta.Text.Length);
            return Of([new CompletionChoiceJson(next.Index, delta.Text) { Logprobs = TokenText.CompletionLogprobs(engine.Tokenizer, delta.LogProbs, options, characters) }]);
        }

        TokenScore[] rest = [.. next.Result!.LogProbs.Skip(scores)];
        return Of([new CompletionChoiceJson(next.Index, "")
        {
            FinishReason = ChatAnswer.FinishName(next.Result.FinishReason),
            Logprobs = rest.Length == 0 ? null : TokenText.CompletionLogprobs(engine.Tokenizer, rest, options, characters),
        }]);
    }

    public CompletionChunkJson Usage(IReadOnlyList<GenerationResult> results) => Of([]) with { Usage = UsageOf(results) };

    private UsageJson UsageOf(IReadOnlyList<GenerationResult> results) => UsageJson.Of([.. results.Chunk(perPrompt)]);

    private CompletionChunkJson Of(IReadOnlyList<CompletionChoiceJson> choices) => new(id, "text_completion", created, engine.Name, choices);
}

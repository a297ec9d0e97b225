using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>Health, models, metrics, tokens, raw prompts, the queue and the end of a server.</summary>
public sealed class ServerStatusTests(DemoServer demo) : IClassFixture<DemoServer>
{
    // The demo repeats one token for ever.
    private const string Endless = """{"prompt":"x","max_tokens":800,"temperature":0,"ignore_eos":true,"stream":STREAM}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Server_is_unhealthy_until_the_model_is_loaded_and_while_it_drains()
    {
        await using XComposerServer server = await XComposerServer.StartAsync(new ServerOptions { Port = 0 }, Cancellation);
        using var http = new HttpClient { BaseAddress = new Uri(server.Addresses[0]) };
        Assert.Equal((503, "Loading model"), await HealthAsync(http));
        using (HttpResponseMessage models = await http.GetAsync(new Uri("/v1/models", UriKind.Relative), Cancellation))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, models.StatusCode);
        await server.LoadAsync(DemoServer.Engine, Cancellation);
        Assert.Equal((200, "ok"), await HealthAsync(http));
        Assert.True(await server.DrainAsync(TimeSpan.FromSeconds(1)));
        Assert.Equal((503, "the server is shutting down"), await HealthAsync(http));
    }

    [Fact]
    public async Task Model_is_listed_with_its_context()
    {
        JsonElement list = await GetAsync("/v1/models");
        JsonElement model = list.GetProperty("data")[0];
        Assert.Equal(("list", "demo", "model"), (list.GetProperty("object").GetString(), model.GetProperty("id").GetString(), model.GetProperty("object").GetString()));
        Assert.Equal(demo.Server.State.Loaded!.Facts.Info.ContextLength, model.GetProperty("max_model_len").GetInt32());
        Assert.Equal("demo", (await GetAsync("/v1/models/demo")).GetProperty("id").GetString());
        Assert.True((await GetAsync("/props")).GetProperty("modalities").GetProperty("vision").GetBoolean());
    }

    [Fact]
    public async Task Metrics_count_answers_and_tokens()
    {
        await demo.PostAsync("/v1/chat/completions", DemoServer.ChatBody("\"max_tokens\":3", DemoServer.TextPart("Hello")));
        string metrics = await demo.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancellation);
        foreach (string name in (string[])["xc2:num_requests_running", "xc2:num_requests_waiting", "xc2:kv_cache_usage_perc", "xc2:prompt_tokens_total", "xc2:generation_tokens_total", "xc2:request_success_total", "xc2:time_to_first_token_seconds_bucket", "xc2:http_responses_total"])
            Assert.Contains("\n" + name, metrics, StringComparison.Ordinal);
        Assert.DoesNotMatch("xc2:generation_tokens_total 0\n", metrics);
    }

    [Fact]
    public async Task Meter_has_the_names_of_opentelemetry()
    {
        var seen = new System.Collections.Concurrent.ConcurrentBag<(string Name, string? Operation, string? Type)>();
        using var listener = new System.Diagnostics.Metrics.MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter.Name == "XComposer2.Native.Server") self.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => seen.Add((instrument.Name, Tag(tags, "gen_ai.operation.name"), null)));
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => seen.Add((instrument.Name, Tag(tags, "gen_ai.operation.name"), Tag(tags, "gen_ai.token.type"))));
        listener.Start();
        await demo.PostAsync("/v1/chat/completions", DemoServer.ChatBody("\"max_tokens\":3", DemoServer.TextPart("Hello")));
        await demo.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":2}""");
        Assert.Contains(("gen_ai.server.request.duration", "chat", null), seen);
        Assert.Contains(("gen_ai.server.time_to_first_token", "text_completion", null), seen);
        Assert.Contains(("gen_ai.server.time_per_output_token", "chat", null), seen);
        Assert.Contains(("gen_ai.client.token.usage", "chat", "input"), seen);
        Assert.Contains(("gen_ai.client.token.usage", "chat", "output"), seen);

        static string? Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
        {
            foreach ((string key, object? value) in tags)
                if (key == name)
                    return value as string;
            return null;
        }
    }

    [Fact]
    public async Task Tokens_become_text_again()
    {
        const string Text = "Describe this image. 描述这张图片。";
        (_, JsonElement tokens) = await demo.PostAsync("/tokenize", JsonSerializer.Serialize(new { content = Text }));
        Assert.Equal(tokens.GetProperty("count").GetInt32(), tokens.GetProperty("tokens").GetArrayLength());
        (_, JsonElement text) = await demo.PostAsync("/detokenize", $$"""{"tokens":{{tokens.GetProperty("tokens")}}}""");
        Assert.Equal(Text, text.GetProperty("content").GetString());
    }

    [Fact]
    public async Task Tokens_of_a_conversation_are_those_that_its_answer_counts()
    {
        string[] parts = [DemoServer.PicturePart(DemoServer.DataUrl(DemoServer.Picture())), DemoServer.TextPart("Describe this image.")];
        (_, JsonElement tokens) = await demo.PostAsync("/tokenize", DemoServer.ChatBody("", parts));
        (_, JsonElement answer) = await demo.PostAsync("/v1/chat/completions", DemoServer.ChatBody("\"max_tokens\":1", parts));
        Assert.Equal(answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), tokens.GetProperty("count").GetInt32());
        Assert.Equal(demo.Server.State.Loaded!.Facts.Info.TokensPerImage, tokens.GetProperty("tokens").EnumerateArray().Count(token => token.GetInt32() == -1));
    }

    [Fact]
    public async Task Raw_prompt_of_a_template_is_answered_like_the_chat()
    {
        string chat = DemoServer.ChatBody("\"max_tokens\":20", DemoServer.TextPart("How many shapes are there?"));
        (_, JsonElement rendered) = await demo.PostAsync("/apply-template", chat);
        (_, JsonElement expected) = await demo.PostAsync("/v1/chat/completions", chat);
        string prompt = JsonSerializer.Serialize(rendered.GetProperty("prompt").GetString());
        (int status, JsonElement raw) = await demo.PostAsync("/v1/completions", $$"""{"prompt":{{prompt}},"temperature":0,"max_tokens":20,"logprobs":2}""");
        Assert.Equal(200, status);
        JsonElement choice = raw.GetProperty("choices")[0];
        Assert.Equal(expected.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString(), choice.GetProperty("text").GetString());
        Assert.Equal(raw.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), choice.GetProperty("logprobs").GetProperty("tokens").GetArrayLength());
    }

    [Fact]
    public async Task Several_prompts_and_answers_are_numbered_in_order()
    {
        (_, JsonElement body) = await demo.PostAsync("/v1/completions", """{"prompt":["a",[1,5,6]],"n":2,"max_tokens":2,"ignore_eos":true}""");
        Assert.Equal([0, 1, 2, 3], body.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.Equal(8, body.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Answers_of_one_request_have_seeds_that_follow_each_other()
    {
        string[] together = await TextsAsync("\"n\":3,\"seed\":7");
        List<string> alone = [];
        for (int seed = 7; seed < 10; seed++)
            alone.AddRange(await TextsAsync($"\"seed\":{seed}"));
        Assert.Equal(alone, together);
        Assert.NotEqual(together[0], together[1]);

        async Task<string[]> TextsAsync(string fields)
        {
            (_, JsonElement body) = await demo.PostAsync("/v1/chat/completions", $$"""{ {{fields}},"temperature":3,"top_p":1,"top_k":0,"max_tokens":12,"messages":[{"role":"user","content":"Hello"}]}""");
            return [.. body.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("message").GetProperty("content").GetString()!)];
        }
    }

    [Fact]
    public async Task Stream_of_several_answers_begins_each_with_its_role_and_ends_with_usage()
    {
        string[] events = await EventsAsync("""{"n":2,"max_tokens":3,"temperature":0,"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hello"}]}""");
        Assert.Equal("[DONE]", events[^1]);
        JsonElement[] chunks = [.. events[..^1].Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.All(chunks, chunk => Assert.Equal("chat.completion.chunk", chunk.GetProperty("object").GetString()));
        Assert.Equal([0, 1], chunks[..2].Select(chunk => chunk.GetProperty("choices")[0].GetProperty("index").GetInt32()));
        Assert.All(chunks[..2], chunk => Assert.Equal("assistant", chunk.GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString()));
        Assert.Equal(2, chunks.Count(chunk => chunk.GetProperty("choices") is { } choices && choices.GetArrayLength() == 1 && choices[0].GetProperty("finish_reason").GetString() == "length"));
        Assert.Equal((0, 6), (chunks[^1].GetProperty("choices").GetArrayLength(), chunks[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32()));
    }

    [Fact]
    public async Task Answer_may_continue_a_given_beginning()
    {
        (_, JsonElement body) = await demo.PostAsync("/v1/chat/completions", $$"""
            {"temperature":0,"continue_final_message":true,"messages":[{"role":"user","content":[{{DemoServer.PicturePart(DemoServer.DataUrl(DemoServer.Picture()))}},{{DemoServer.TextPart("Describe this image.")}}]},
            {"role":"assistant","content":"The image shows"}]}
            """);
        Assert.Equal(" a red star at the top.", body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
    }

    [Fact]
    public async Task Full_queue_is_refused_with_a_time_to_try_again()
    {
        await using DemoServer busy = await DemoServer.OfAsync(new ServerOptions { QueueLength = 1 }, DemoServer.Engine with { Limits = new EngineLimits { Sequences = 1, CacheBytes = 64 << 20 } });
        Task<HttpResponseMessage>[] streams = [BeginAsync(busy), BeginAsync(busy)];
        HttpResponseMessage[] begun = await Task.WhenAll(streams);
        using var content = new StringContent("""{"prompt":"x","max_tokens":1}""", System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage refused = await busy.Http.PostAsync(new Uri("/v1/completions", UriKind.Relative), content, Cancellation);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        foreach (HttpResponseMessage stream in begun)
            stream.Dispose();
        Assert.Equal(0, (await busy.IdleLoadAsync()).PagesInUse);
        Assert.Equal(200, (await busy.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":1}""")).Status);
    }

    [Fact]
    public async Task Late_request_ends_with_a_timeout_and_leaves_nothing_behind()
    {
        await using DemoServer hasty = await DemoServer.OfAsync(new ServerOptions { RequestTimeout = TimeSpan.FromMilliseconds(60) });
        (int status, JsonElement body) = await hasty.PostAsync("/v1/completions", Endless.Replace("STREAM", "false", StringComparison.Ordinal));
        Assert.Equal((504, "timeout"), (status, body.GetProperty("error").GetProperty("code").GetString()));
        Assert.Equal(0, (await hasty.IdleLoadAsync()).PagesInUse);
    }

    [Fact]
    public async Task Waiting_stream_gets_comments()
    {
        await using DemoServer server = await DemoServer.OfAsync(new ServerOptions { KeepAlive = TimeSpan.FromMilliseconds(1) }, DemoServer.Engine with { Limits = new EngineLimits { Sequences = 1, CacheBytes = 64 << 20 } });
        using HttpResponseMessage first = await BeginAsync(server);
        using HttpResponseMessage second = await BeginAsync(server);
        using var reader = new StreamReader(await second.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal(": keep-alive", await reader.ReadLineAsync(Cancellation));
    }

    [Fact]
    public async Task Draining_server_ends_the_stream_under_way_and_refuses_others()
    {
        await using DemoServer server = await DemoServer.OfAsync(new ServerOptions());
        using HttpResponseMessage stream = await BeginAsync(server);
        Task<bool> drained = server.Server.DrainAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(503, (await server.PostAsync("/v1/completions", """{"prompt":"x"}""")).Status);
        Assert.EndsWith("data: [DONE]\n\n", await stream.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.True(await drained);
    }

    private static async Task<HttpResponseMessage> BeginAsync(DemoServer server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent(Endless.Replace("STREAM", "true", StringComparison.Ordinal), System.Text.Encoding.UTF8, "application/json"),
        };
        return await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    private static async Task<(int Status, string? Text)> HealthAsync(HttpClient http)
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri("/health", UriKind.Relative), Cancellation);
        JsonElement body = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        return ((int)response.StatusCode, body.TryGetProperty("status", out JsonElement status) ? status.GetString() : body.GetProperty("error").GetProperty("message").GetString());
    }

    private async Task<JsonElement> GetAsync(string path) => await demo.Http.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative), Cancellation);

    private async Task<string[]> EventsAsync(string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await demo.Http.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, Cancellation);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        string[] blocks = (await response.Content.ReadAsStringAsync(Cancellation)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        return [.. blocks.Select(block => Assert.Single(block.Split('\n'))["data: ".Length..])];
    }
}

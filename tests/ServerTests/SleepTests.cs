using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>A server that gives its memory back when nobody asks.</summary>
public sealed class SleepTests
{
    private const string Question = """{"messages":[{"role":"user","content":"Hello"}],"temperature":0,"max_tokens":12}""";

    private static readonly TimeSpan after = TimeSpan.FromMilliseconds(400);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Model_sleeps_says_so_and_wakes_to_the_same_answer()
    {
        await using DemoServer demo = await DemoServer.OfAsync(new ServerOptions { SleepAfter = after });
        string answer = await AnswerAsync(demo);
        WeakReference engine = EngineOf(demo);
        await UntilAsync(demo, isSleeping: true);
        Assert.False(engine.IsAlive);
        Assert.Equal("sleeping", (await GetAsync(demo, "/health")).GetProperty("status").GetString());
        Assert.Contains("xc2:sleeping 1", await demo.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancellation), StringComparison.Ordinal);
        Assert.Single((await GetAsync(demo, "/v1/models")).GetProperty("data").EnumerateArray());
        Assert.True((await GetAsync(demo, "/props")).GetProperty("is_sleeping").GetBoolean());

        // Several clients wake it together.
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => AnswerAsync(demo)));
        Assert.All(answers, woken => Assert.Equal(answer, woken));
        Assert.Equal("ok", (await GetAsync(demo, "/health")).GetProperty("status").GetString());
        await UntilAsync(demo, isSleeping: true);
        Assert.Equal(answer, await AnswerAsync(demo));
    }

    [Fact]
    public async Task Request_under_way_keeps_the_model_awake()
    {
        await using DemoServer demo = await DemoServer.OfAsync(new ServerOptions { SleepAfter = after });
        using var content = new StringContent("""{"prompt":"x","max_tokens":6000,"temperature":0,"ignore_eos":true,"stream":true}""", System.Text.Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = content };
        using HttpResponseMessage stream = await demo.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using Stream body = await stream.Content.ReadAsStreamAsync(Cancellation);
        for (int check = 0; check < 8; check++)
        {
            Assert.True(await body.ReadAsync(new byte[64], Cancellation) > 0);
            Assert.False((await GetAsync(demo, "/props")).GetProperty("is_sleeping").GetBoolean());
            await Task.Delay(after / 4, Cancellation);
        }
    }

    [Fact]
    public async Task Sleeping_server_ends_at_once()
    {
        DemoServer demo = await DemoServer.OfAsync(new ServerOptions { SleepAfter = after });
        await UntilAsync(demo, isSleeping: true);
        Assert.True(await demo.Server.DrainAsync(TimeSpan.FromSeconds(5)));
        await demo.DisposeAsync();
    }

    [Fact]
    public async Task Articles_are_read_without_waking_the_model()
    {
        string folder = Directory.CreateTempSubdirectory("xc2 asleep-").FullName;
        await using (DemoServer demo = await DemoServer.OfAsync(new ServerOptions { SleepAfter = after, ArticlesFolder = folder }))
        {
            (int status, JsonElement body) = await demo.PostAsync("/v1/xc2/compose", ComposeServer.Body("\"figures\":0"));
            Assert.Equal(200, status);
            await UntilAsync(demo, isSleeping: true);
            string id = body.GetProperty("article").GetProperty("id").GetString()!;
            Assert.Equal("complete", (await GetAsync(demo, $"/v1/xc2/articles/{id}")).GetProperty("status").GetString());
            Assert.True((await GetAsync(demo, "/props")).GetProperty("is_sleeping").GetBoolean());
            Assert.Equal(200, (await demo.PostAsync($"/v1/xc2/articles/{id}/edit", """{"op":"abbreviate","section":1}""")).Status);
        }

        Directory.Delete(folder, recursive: true);
    }

    // No local variable of a test may keep it alive.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference EngineOf(DemoServer demo) => new(demo.Server.State.Loaded!.Engine);

    private static async Task UntilAsync(DemoServer demo, bool isSleeping)
    {
        for (int attempt = 0; attempt < 400 && demo.Server.State.Model.IsSleeping != isSleeping; attempt++)
            await Task.Delay(25, Cancellation);
        Assert.Equal(isSleeping, demo.Server.State.Model.IsSleeping);
        // It is collected after that.
        await Task.Delay(200, Cancellation);
    }

    private static async Task<string> AnswerAsync(DemoServer demo)
    {
        (int status, JsonElement body) = await demo.PostAsync("/v1/chat/completions", Question);
        Assert.Equal(200, status);
        return body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }

    private static Task<JsonElement> GetAsync(DemoServer demo, string path) => demo.Http.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative), Cancellation);
}

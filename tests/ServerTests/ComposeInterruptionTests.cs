using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>Compositions that are interrupted at any step: the article is kept, and resumed to what it would have been.</summary>
public sealed class ComposeInterruptionTests(ComposeServer server) : IClassFixture<ComposeServer>
{
    private const int Attempts = 50;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("article", 1)]
    [InlineData("text", 3)]
    [InlineData("article", 2)]
    [InlineData("step", 2)]
    [InlineData("step", 4)]
    [InlineData("step", 5)]
    [InlineData("step", 6)]
    public async Task Client_that_vanishes_finds_its_article_and_resumes_it(string name, int number)
    {
        string body = ComposeServer.Body("\"figures\":2,\"stream\":true");
        string expected = await CompleteAsync(body);
        string id = await InterruptedAsync(body, name, number);
        EngineLoad load = await server.Demo.IdleLoadAsync();
        Assert.Equal((0, 0, 0), (load.Running, load.Waiting, load.PagesInUse));
        (int status, JsonElement refused) = await server.EditAsync(id, "\"op\":\"set-title\",\"title\":\"x\"");
        Assert.Equal((409, "article_incomplete"), (status, refused.GetProperty("error").GetProperty("code").GetString()));
        (status, JsonElement done) = await server.Demo.PostAsync($"/v1/xc2/articles/{id}/resume", "{}");
        Assert.Equal(200, status);
        Assert.Equal(expected, Content(done.GetProperty("article")));
        (status, refused) = await server.Demo.PostAsync($"/v1/xc2/articles/{id}/resume", "{}");
        Assert.Equal((409, "article_complete"), (status, refused.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Interrupted_article_can_be_kept_as_it_is()
    {
        string id = await InterruptedAsync(ComposeServer.Body("\"figures\":2,\"stream\":true", seed: 77), "step", 3);
        (int status, JsonElement done) = await server.Demo.PostAsync($"/v1/xc2/articles/{id}/resume", """{"finish":true}""");
        Assert.Equal((200, "complete"), (status, done.GetProperty("article").GetProperty("status").GetString()));
        Assert.True(File.Exists(Path.Combine(server.Articles, id, "article.html")));
    }

    [Fact]
    public async Task No_article_is_lost_when_the_process_is_killed_while_composing()
    {
        string folder = Directory.CreateTempSubdirectory("xc2 killed-").FullName;
        string articles = Path.Combine(folder, "articles"), gallery = ComposeServer.MakeGallery(Path.Combine(folder, "shapes"));
        string body = ComposeServer.Body("\"figures\":2,\"stream\":true");
        string expected = await CompleteAsync(body), finished;
        JsonElement told = default;
        (Process first, HttpClient http) = await ServeProgram.StartAsync("--articles", articles, "--gallery", gallery);
        using (first)
        using (http)
        {
            finished = (await LastAsync(http, "/v1/xc2/compose", body)).GetProperty("article").GetProperty("id").GetString()!;
            try
            {
                await foreach ((string Name, JsonElement Data) next in ComposeServer.StreamAsync(http, "/v1/xc2/compose", body, Cancellation))
                {
                    if (next.Name == "article")
                        told = next.Data;
                    if (next.Name == "step" && next.Data.GetProperty("step").GetString() == "search")
                        first.Kill();
                }
            }
            catch (Exception broken) when (broken is HttpRequestException or IOException)
            {
                // Killed.
            }

            await first.WaitForExitAsync(Cancellation);
        }

        (Process second, http) = await ServeProgram.StartAsync("--articles", articles, "--gallery", gallery);
        using (second)
        using (http)
        {
            JsonElement[] entries = [.. (await http.GetFromJsonAsync<JsonElement>(new Uri("/v1/xc2/articles", UriKind.Relative), Cancellation)).GetProperty("data").EnumerateArray()];
            string id = told.GetProperty("id").GetString()!;
            Assert.Equal([(id, "incomplete"), (finished, "complete")], entries.Select(entry => (entry.GetProperty("id").GetString()!, entry.GetProperty("status").GetString()!)));
            JsonElement kept = await http.GetFromJsonAsync<JsonElement>(new Uri($"/v1/xc2/articles/{id}", UriKind.Relative), Cancellation);
            Assert.Equal(told.GetProperty("sections").EnumerateArray().Select(section => section.GetProperty("text").GetString()), kept.GetProperty("sections").EnumerateArray().Select(section => section.GetProperty("text").GetString()));
            Assert.Equal(expected, Content((await LastAsync(http, $"/v1/xc2/articles/{id}/resume", """{"stream":true}""")).GetProperty("article")));
            second.Kill();
            await second.WaitForExitAsync(Cancellation);
        }

        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Composes until a client has gone before the end. The demo may be faster than a farewell; then another client tries.</summary>
    /// <returns>Name of the article.</returns>
    private async Task<string> InterruptedAsync(string body, string name, int number)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            // A connection that is closed at once, not read to its end.
            using var client = new HttpClient(new SocketsHttpHandler { MaxResponseDrainSize = 0, ResponseDrainTimeout = TimeSpan.Zero }) { BaseAddress = server.Demo.Http.BaseAddress };
            int seen = 0;
            string id = "";
            try
            {
                await foreach ((string Name, JsonElement Data) next in ComposeServer.StreamAsync(client, "/v1/xc2/compose", body, leaving.Token))
                {
                    id = id.Length == 0 ? next.Data.GetProperty("id").GetString()! : id;
                    if (next.Name == name && ++seen == number)
                        await leaving.CancelAsync();
                }
            }
            catch (OperationCanceledException) when (leaving.IsCancellationRequested)
            {
                // Gone.
            }

            _ = await server.Demo.IdleLoadAsync();
            if ((await server.ArticleAsync(id)).GetProperty("status").GetString() == "incomplete")
                return id;
        }

        throw new InvalidOperationException($"{Attempts} compositions were all faster than the farewell of their clients");
    }

    private async Task<string> CompleteAsync(string body) => Content((await LastAsync(server.Demo.Http, "/v1/xc2/compose", body)).GetProperty("article"));

    private static async Task<JsonElement> LastAsync(HttpClient http, string path, string body)
    {
        (string Name, JsonElement Data) last = default;
        await foreach ((string Name, JsonElement Data) next in ComposeServer.StreamAsync(http, path, body, Cancellation))
            last = next;
        Assert.True(last.Name == "done", $"{last.Data}");
        return last.Data;
    }

    /// <summary>Texts, captions and chosen pictures, without the name of the article.</summary>
    private static string Content(JsonElement article) => article.GetProperty("sections").GetRawText().Replace(article.GetProperty("id").GetString()!, "ID", StringComparison.Ordinal) + article.GetProperty("notes").GetRawText();
}

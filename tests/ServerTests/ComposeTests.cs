using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using XComposer2.Native.Composition.Storage;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>Articles over HTTP, from the outline to the export.</summary>
public sealed class ComposeTests(ComposeServer server) : IClassFixture<ComposeServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HttpClient Http => server.Demo.Http;

    [Fact]
    public async Task Composition_streams_one_event_for_each_step_and_change()
    {
        List<(string Name, JsonElement Data)> events = [];
        await foreach ((string Name, JsonElement Data) next in ComposeServer.StreamAsync(Http, "/v1/xc2/compose", ComposeServer.Body("\"figures\":2,\"stream\":true"), Cancellation))
            events.Add(next);
        Assert.Equal(("article", "incomplete", 0), (events[0].Name, Text(events[0].Data, "status"), events[0].Data.GetProperty("sections").GetArrayLength()));
        Assert.Equal(["write", "place", "caption", "caption", "search", "choose", "search", "choose"], events.Where(next => next.Name == "step").Select(next => Text(next.Data, "step")));
        JsonElement done = events[^1].Data, article = done.GetProperty("article");
        Assert.Equal(("done", "complete"), (events[^1].Name, Text(article, "status")));
        string written = string.Concat(events.Where(next => next.Name == "text").Select(next => Text(next.Data, "text")));
        Assert.Equal(written.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), article.GetProperty("sections").EnumerateArray().Select(section => Text(section, "text")));

        // Each saved state is told, and the last one is on disk.
        JsonElement[] figures = [.. article.GetProperty("sections").EnumerateArray().Select(section => section.GetProperty("figure")).Where(figure => figure.ValueKind == JsonValueKind.Object)];
        Assert.Equal(2, figures.Length);
        foreach (JsonElement figure in figures)
        {
            JsonElement[] candidates = [.. figure.GetProperty("candidates").EnumerateArray()];
            Assert.InRange(figure.GetProperty("chosen").GetInt32(), 1, candidates.Length);
            Assert.Equal(Enumerable.Range(1, candidates.Length), candidates.Select(candidate => candidate.GetProperty("rank").GetInt32()));
            Assert.All(candidates, candidate => Assert.Equal("shapes", Text(candidate, "source")));
            // A single candidate is taken without asking the model.
            Assert.Equal(candidates.Length > 1, candidates.Any(candidate => candidate.GetProperty("probability").ValueKind == JsonValueKind.Number));
            using HttpResponseMessage picture = await Http.GetAsync(new Uri(Text(candidates[0], "url"), UriKind.Relative), Cancellation);
            Assert.Equal(("image/png", "same-origin"), (picture.Content.Headers.ContentType!.MediaType, picture.Headers.GetValues("Cross-Origin-Resource-Policy").Single()));
        }

        string id = Text(article, "id");
        Assert.Equal(article.GetProperty("sections").GetRawText(), (await server.ArticleAsync(id)).GetProperty("sections").GetRawText());
        Assert.False(File.Exists(Path.Combine(server.Articles, id, "composition.json")));
        Assert.Equal(2, ArticleFolder.Open(Path.Combine(server.Articles, id)).Current.Sections.Count(section => section.Figure?.Picture is not null));
        JsonElement entry = (await Http.GetFromJsonAsync<JsonElement>(new Uri("/v1/xc2/articles", UriKind.Relative), Cancellation)).GetProperty("data").EnumerateArray().Single(entry => Text(entry, "id") == id);
        Assert.Equal(("complete", 2, ComposeServer.Instruction), (Text(entry, "status"), entry.GetProperty("figures").GetInt32(), Text(entry, "instruction")));
    }

    [Fact]
    public async Task Outline_is_written_and_the_confirmed_one_becomes_the_instruction()
    {
        (int status, JsonElement outline) = await server.Demo.PostAsync("/v1/xc2/outline", """{"title":"The park","seed":4,"temperature":0}""");
        Assert.Equal((200, 4), (status, outline.GetProperty("seed").GetInt32()));
        Assert.NotEmpty(outline.GetProperty("points").EnumerateArray());
        (status, JsonElement body) = await server.Demo.PostAsync("/v1/xc2/compose", """{"title":"the park","outline":["a red circle","a blue square"],"figures":0,"temperature":0}""");
        JsonElement article = body.GetProperty("article");
        Assert.Equal((200, "the park"), (status, Text(article, "title")));
        Assert.Contains("Outline: a red circle; a blue square.", Text(article, "instruction"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Own_pictures_are_assigned_and_described()
    {
        string picture = DemoServer.DataUrl(DemoServer.Picture());
        (int status, JsonElement body) = await server.Demo.PostAsync("/v1/xc2/compose", $$"""{"instruction":"Write a short article about the park based on the images.","temperature":0,"seed":1,"pictures":[{"image":"{{picture}}","name":"../a/mine.png"}]}""");
        Assert.Equal(200, status);
        JsonElement article = body.GetProperty("article");
        Assert.Equal("mine.png", Text(Assert.Single(article.GetProperty("own_pictures").EnumerateArray()), "name"));
        JsonElement figure = Assert.Single(article.GetProperty("sections").EnumerateArray().Select(section => section.GetProperty("figure")), found => found.ValueKind == JsonValueKind.Object);
        Assert.Equal((1, true), (figure.GetProperty("chosen").GetInt32(), Text(figure, "alternative_text").Length > 0));
    }

    [Fact]
    public async Task Edits_change_the_article_and_can_be_undone()
    {
        string id = await server.ComposeTextAsync(), before = (await server.ArticleAsync(id)).GetProperty("sections").GetRawText();
        await ChangesAsync("\"op\":\"rewrite\",\"section\":2,\"instruction\":\"green\"", "section 2 rewritten");
        await ChangesAsync("\"op\":\"abbreviate\",\"section\":1", "section 1 abbreviated");
        await ChangesAsync("\"op\":\"insert-after\",\"section\":1,\"instruction\":\"a green star\"", "new section 2");
        await ChangesAsync("\"op\":\"set-text\",\"section\":1,\"instruction\":\"# One\\n\\ntwo\"", "sections 1 to 2 replace section 1");
        await ChangesAsync("\"op\":\"move-section\",\"section\":1,\"to\":2", "section 1 is now section 2");
        await ChangesAsync("\"op\":\"set-title\",\"title\":\"New\"", "title: New");
        await ChangesAsync("\"op\":\"find-figure\",\"section\":1,\"caption\":\"a red circle\"", null);
        await ChangesAsync("\"op\":\"choose-figure\",\"section\":1,\"candidate\":2", null);
        await ChangesAsync("\"op\":\"choose-figure\",\"section\":1", null);
        await ChangesAsync("\"op\":\"set-caption\",\"section\":1,\"caption\":\"by hand\"", "figure after section 1: by hand");
        await ChangesAsync("\"op\":\"set-caption\",\"section\":1", null);
        await ChangesAsync($"\"op\":\"replace-figure\",\"section\":1,\"picture\":\"{DemoServer.DataUrl(DemoServer.Picture())}\",\"caption\":\"mine\"", null);
        await ChangesAsync("\"op\":\"remove-figure\",\"section\":1", "figure after section 1 removed");
        await ChangesAsync("\"op\":\"illustrate\",\"figures\":1", null);
        JsonElement article = await ChangesAsync("\"op\":\"remove-section\",\"section\":1", null);
        int changes = article.GetProperty("changes").GetArrayLength();
        Assert.Equal(16, changes);
        for (int undone = 1; undone < changes; undone++)
            article = await ChangesAsync("\"op\":\"undo\"", null);
        Assert.Equal((before, 0), (article.GetProperty("sections").GetRawText(), article.GetProperty("current_change").GetInt32()));
        Assert.Equal("there is no change to undo", await RefusedAsync("\"op\":\"undo\""));
        await ChangesAsync("\"op\":\"redo\"", "redone: rewrite 2");

        async Task<JsonElement> ChangesAsync(string fields, string? expected)
        {
            (int status, JsonElement body) = await server.EditAsync(id, fields);
            Assert.True(status == 200, $"{fields}: {body}");
            string[] done = [.. body.GetProperty("changes").EnumerateArray().Select(sentence => sentence.GetString()!)];
            Assert.NotEmpty(done);
            if (expected is not null)
                Assert.Equal([expected], done);
            Assert.Equal(body.GetProperty("article").GetProperty("sections").GetRawText(), (await server.ArticleAsync(id)).GetProperty("sections").GetRawText());
            return body.GetProperty("article");
        }

        async Task<string> RefusedAsync(string fields)
        {
            (int status, JsonElement body) = await server.EditAsync(id, fields);
            Assert.Equal(400, status);
            return Text(body.GetProperty("error"), "message");
        }
    }

    [Fact]
    public async Task Edit_by_the_model_streams_its_text()
    {
        string id = await server.ComposeTextAsync();
        List<string> names = [];
        await foreach ((string name, JsonElement _) in ComposeServer.StreamAsync(Http, $"/v1/xc2/articles/{id}/edit", """{"op":"expand","section":1,"temperature":0,"stream":true}""", Cancellation))
            names.Add(name);
        Assert.Equal(("step", "done"), (names[0], names[^1]));
        Assert.All(names[1..^1], name => Assert.Equal("text", name));
    }

    [Fact]
    public async Task Next_change_may_follow_the_answer_to_the_one_before()
    {
        string id = await server.ComposeTextAsync();
        for (int round = 0; round < 60; round++)
            foreach (string fields in (string[])["\"op\":\"set-title\",\"title\":\"x\"", "\"op\":\"undo\""])
            {
                (int status, JsonElement body) = await server.EditAsync(id, fields);
                Assert.True(status == 200, $"round {round}: {body}");
            }
    }

    [Theory]
    [InlineData("\"op\":\"fly\"", "op: expected rewrite, expand")]
    [InlineData("\"op\":\"rewrite\"", "rewrite needs section")]
    [InlineData("\"op\":\"rewrite\",\"section\":99", "section: expected 1 to ")]
    [InlineData("\"op\":\"rewrite\",\"section\":0", "section: expected an integer, 1 or more, found 0")]
    [InlineData("\"op\":\"abbreviate\",\"section\":1,\"instruction\":\"x\"", "abbreviate does not take instruction")]
    [InlineData("\"op\":\"choose-figure\",\"section\":1,\"candidate\":1", "section 1 has no figure with candidates")]
    [InlineData("\"op\":\"move-section\",\"section\":1,\"to\":99", "new place: expected 1 to ")]
    [InlineData("\"op\":\"replace-figure\",\"section\":1,\"picture\":\"AAAA\"", "picture")]
    [InlineData("\"op\":\"insert-before\",\"section\":1,\"instruction\":\" \"", "an insertion needs an outline")]
    public async Task Edits_that_cannot_be_made_are_refused_by_name(string fields, string message)
    {
        string id = await server.ComposeTextAsync();
        (int status, JsonElement body) = await server.EditAsync(id, fields);
        Assert.Contains(status, (int[])[400, 422]);
        Assert.Contains(message, Text(body.GetProperty("error"), "message"), StringComparison.Ordinal);
        Assert.Single((await server.ArticleAsync(id)).GetProperty("changes").EnumerateArray());
    }

    [Theory]
    [InlineData("{}", "expected title or instruction")]
    [InlineData("""{"title":"a","instruction":"b"}""", "expected title or instruction")]
    [InlineData("""{"title":" "}""", "title: expected a text")]
    [InlineData("""{"instruction":"a","outline":["b"]}""", "outline belongs to title")]
    [InlineData("""{"instruction":"a","figures":61}""", "figures: expected an integer, 0 to 60")]
    [InlineData("""{"instruction":"a","candidates":11}""", "candidates: expected an integer, 1 to 10")]
    [InlineData("""{"instruction":"a","pictures":[{"name":"x"}]}""", "pictures[0].image is required")]
    [InlineData("""{"instruction":"a","pictures":["AAAA"]}""", "pictures[0]")]
    public async Task Compositions_that_cannot_begin_leave_no_article(string body, string message)
    {
        int before = Directory.Exists(server.Articles) ? Directory.GetDirectories(server.Articles).Length : 0;
        (int status, JsonElement answer) = await server.Demo.PostAsync("/v1/xc2/compose", body);
        Assert.Equal(400, status);
        Assert.Contains(message, Text(answer.GetProperty("error"), "message"), StringComparison.Ordinal);
        Assert.Equal(before, Directory.Exists(server.Articles) ? Directory.GetDirectories(server.Articles).Length : 0);
    }

    [Fact]
    public async Task Exports_are_files_to_save()
    {
        (_, JsonElement body) = await server.Demo.PostAsync("/v1/xc2/compose", ComposeServer.Body("\"figures\":1"));
        string id = Text(body.GetProperty("article"), "id");
        using (var archive = new ZipArchive(await ExportAsync("article.zip", "application/zip")))
            Assert.Contains(archive.Entries, entry => entry.FullName.StartsWith("pictures/", StringComparison.Ordinal));
        using (var document = new ZipArchive(await ExportAsync("article.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")))
            Assert.NotNull(document.GetEntry("word/document.xml"));
        using (var page = new StreamReader(await ExportAsync("article.html", "text/html")))
            Assert.Contains("data:image/png;base64,", await page.ReadToEndAsync(Cancellation), StringComparison.Ordinal);
        using (var text = new StreamReader(await ExportAsync("article.md", "text/markdown")))
            Assert.Contains("](pictures/", await text.ReadToEndAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await Http.GetAsync(new Uri($"/v1/xc2/articles/{id}/export/article.json", UriKind.Relative), Cancellation)).StatusCode);

        async Task<Stream> ExportAsync(string file, string type)
        {
            HttpResponseMessage response = await Http.GetAsync(new Uri($"/v1/xc2/articles/{id}/export/{file}", UriKind.Relative), Cancellation);
            Assert.Equal((HttpStatusCode.OK, type, file), (response.StatusCode, response.Content.Headers.ContentType!.MediaType, response.Content.Headers.ContentDisposition!.FileName!.Trim('"')));
            Assert.StartsWith("sandbox;", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            return await response.Content.ReadAsStreamAsync(Cancellation);
        }
    }

    [Fact]
    public async Task Deleted_article_is_gone_and_a_busy_one_is_refused()
    {
        string id = await server.ComposeTextAsync();
        var path = new Uri($"/v1/xc2/articles/{id}", UriKind.Relative);
        using (ArticleLock _ = await ArticleFolder.LockAsync(Path.Combine(server.Articles, id), cancellationToken: Cancellation))
        {
            Assert.Equal(HttpStatusCode.Conflict, (await Http.DeleteAsync(path, Cancellation)).StatusCode);
            (int status, JsonElement body) = await server.EditAsync(id, "\"op\":\"set-title\",\"title\":\"x\"");
            Assert.Equal((409, "article_busy"), (status, Text(body.GetProperty("error"), "code")));
        }

        Assert.Equal(HttpStatusCode.NoContent, (await Http.DeleteAsync(path, Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Http.GetAsync(path, Cancellation)).StatusCode);
        Assert.False(Directory.Exists(Path.Combine(server.Articles, id)));
    }

    [Theory]
    [InlineData("..%2f..%2fsecret")]
    [InlineData(".xc2-0123")]
    [InlineData("nothing")]
    [InlineData("a%00b")]
    public async Task Names_that_are_no_article_are_not_found(string name)
    {
        using HttpResponseMessage response = await Http.GetAsync(new Uri($"/v1/xc2/articles/{name}", UriKind.Relative), Cancellation);
        Assert.Contains((int)response.StatusCode, (int[])[400, 404]);
    }

    [Theory]
    [InlineData("..%2farticle.json")]
    [InlineData("0123456789abcdef0123456789abcdef.png")]
    [InlineData("article.json")]
    public async Task Names_that_are_no_picture_are_not_found(string name)
    {
        string id = await server.ComposeTextAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await Http.GetAsync(new Uri($"/v1/xc2/articles/{id}/pictures/{name}", UriKind.Relative), Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Properties_state_what_composition_has()
    {
        JsonElement compose = (await Http.GetFromJsonAsync<JsonElement>(new Uri("/props", UriKind.Relative), Cancellation)).GetProperty("compose");
        Assert.Equal((true, "shapes", 60, 10), (compose.GetProperty("available").GetBoolean(), Text(compose, "source"), compose.GetProperty("max_figures").GetInt32(), compose.GetProperty("max_pictures").GetInt32()));
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}

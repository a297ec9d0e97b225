using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using XComposer2.Native.UnitTests;

namespace XComposer2.Native.PageTests;

/// <summary>Composition over HTTP with one article, as its contract describes it (COMPOSE-API.md of the server), and what the page asked for.</summary>
internal sealed class StubArticles
{
    /// <summary>An illustrated article: figures after sections 3 (four candidates with scores) and 4 (one picture).</summary>
    public const string Article = """
        {"id":"k3v9","status":"complete","updated":1790000000,"title":"Shapes in the park","instruction":"...","model":"demo","seed":7,"sections":[
        {"number":1,"text":"# Shapes in the park","figure":null},
        {"number":2,"text":"A walk through the park takes an hour, and most visitors begin at the southern gate, where plane trees throw their **shade** over the gravel.","figure":null},
        {"number":3,"text":"The star was made by a local smith. It has five points, each as long as an arm, and was painted red; nobody knows why it was hung so high.","figure":{"caption":"The red star above the southern gate","alternative_text":"A red star on a light ground","chosen":1,"candidates":[
        {"number":1,"url":"/v1/xc2/articles/k3v9/pictures/1.png","media_type":"image/png","name":"shapes-1.png","source":"holiday","caption":"a red star","rank":1,"probability":0.64},
        {"number":2,"url":"/v1/xc2/articles/k3v9/pictures/4.png","media_type":"image/png","name":"shapes-4.png","source":"holiday","caption":"a square and a star","rank":2,"probability":0.27},
        {"number":3,"url":"/v1/xc2/articles/k3v9/pictures/3.png","media_type":"image/png","name":"shapes-3.png","source":"holiday","caption":"a circle and a star at the sides of a field","rank":3,"probability":0.06},
        {"number":4,"url":"/v1/xc2/articles/k3v9/pictures/2.png","media_type":"image/png","name":"shapes-2.png","source":"holiday","caption":null,"rank":null,"probability":null}]}},
        {"number":4,"text":"Down at the pond a green circle lies in the grass.","figure":{"caption":"Circle and star, seen from the bridge","alternative_text":"","chosen":1,"candidates":[
        {"number":1,"url":"/v1/xc2/articles/k3v9/pictures/3.png","media_type":"image/png","name":"shapes-3.png","source":"own","caption":null,"rank":null,"probability":null}]}},
        {"number":5,"text":"## What to bring","figure":null},{"number":6,"text":"- Water and bread","figure":null},{"number":7,"text":"- A pencil","figure":null}],
        "own_pictures":[],"notes":[],"changes":["compose","rewrite 2","rewrite 3"],"current_change":1}
        """;

    /// <summary>Requests by their path after /v1/xc2/, with their bodies.</summary>
    public List<(string Path, JsonElement Body)> Requests { get; } = [];

    /// <summary>The code of the error that edits get; null for none.</summary>
    public string? Refusal { get; set; }

    public async Task ServeAsync(IPage page)
    {
        await page.RouteAsync("**/props", async route =>
        {
            IAPIResponse response = await route.FetchAsync();
            JsonNode properties = JsonNode.Parse(await response.TextAsync())!;
            properties["compose"] = JsonNode.Parse("""{"available":true,"source":"holiday","max_figures":60,"max_pictures":10,"default_figures":6}""");
            await route.FulfillAsync(new RouteFulfillOptions { Status = 200, ContentType = "application/json", Body = properties.ToJsonString() });
        });
        await page.RouteAsync("**/v1/xc2/**", AnswerAsync);
    }

    private Task AnswerAsync(IRoute route)
    {
        string path = new Uri(route.Request.Url).AbsolutePath["/v1/xc2/".Length..];
        if (route.Request.PostData is { } body)
            Requests.Add((path, JsonDocument.Parse(body).RootElement.Clone()));
        if (path.Contains("/pictures/", StringComparison.Ordinal))
            return route.FulfillAsync(new RouteFulfillOptions { Status = 200, ContentType = "image/png", BodyBytes = File.ReadAllBytes(TestPaths.Repository($"tools/demo/pictures/shapes-{path[^5]}.png")) });
        if (path.Contains("/export/", StringComparison.Ordinal))
            return route.FulfillAsync(new RouteFulfillOptions { Status = 200, ContentType = "application/octet-stream", Body = path });
        return path switch
        {
            "articles" => JsonAsync("""{"data":[{"id":"k3v9","status":"complete","updated":1790000000,"title":"Shapes in the park","instruction":"","sections":7,"figures":2,"changes":3}]}"""),
            "articles/k3v9" => JsonAsync(Article),
            "outline" => JsonAsync("""{"points":["Where the park is","The star above the gate","A circle by the water"],"seed":7}"""),
            "compose" => EventsAsync(
                Event("step", """{"step":"write","number":1,"total":1,"subject":""}""") + Event("text", """{"text":"A walk "}""") + Event("article", Article.ReplaceLineEndings(""))
                + Event("step", """{"step":"choose","number":2,"total":2,"subject":"a red star"}""") + Event("done", $$"""{"changes":[],"article":{{Article.ReplaceLineEndings("")}} }""")),
            "articles/k3v9/edit" when Refusal is not null =>
                route.FulfillAsync(new RouteFulfillOptions { Status = 409, ContentType = "application/json", Body = $$"""{"error":{"message":"no","type":"x","param":null,"code":"{{Refusal}}"} }""" }),
            "articles/k3v9/edit" => EventsAsync(Event("step", """{"step":"edit","number":1,"total":1,"subject":""}""") + Event("done", $$"""{"changes":["section 2 rewritten"],"article":{{Article.ReplaceLineEndings("").Replace("A walk through", "An evening walk through", StringComparison.Ordinal)}} }""")),
            _ => route.FulfillAsync(new RouteFulfillOptions { Status = 404, ContentType = "application/json", Body = """{"error":{"message":"no","type":"x","code":"article_not_found"}}""" }),
        };

        Task JsonAsync(string json) => route.FulfillAsync(new RouteFulfillOptions { Status = 200, ContentType = "application/json", Body = json });
        Task EventsAsync(string events) => route.FulfillAsync(new RouteFulfillOptions { Status = 200, ContentType = "text/event-stream", Body = ": keep-alive\n\n" + events });
    }

    private static string Event(string name, string data) => $"event: {name}\ndata: {data}\n\n";
}

using System.Text.Json;
using Microsoft.Playwright;

namespace XComposer2.Native.PageTests;

/// <summary>Answers of the server that the demo does not give, and what the page asked for.</summary>
internal sealed class StubAnswers
{
    private const string Path = "**/v1/chat/completions";

    /// <summary>Bodies of requests.</summary>
    public List<JsonElement> Bodies { get; } = [];

    /// <summary>Streams a text, in three pieces.</summary>
    public Task StreamAsync(IPage page, string text, bool isWhole = true) => page.RouteAsync(Path, route =>
    {
        Keep(route);
        int third = text.Length / 3;
        string events = string.Concat(((string[])[text[..third], text[third..(2 * third)], text[(2 * third)..]]).Select(part => Event(new { choices = new[] { new { index = 0, delta = new { content = part } } } })));
        string end = Event(new { choices = new[] { new { index = 0, delta = new { }, finish_reason = "stop" } } }) + "data: [DONE]\n\n";
        return route.FulfillAsync(new RouteFulfillOptions { Status = 200, ContentType = "text/event-stream", Body = ": hello\n\n" + events + (isWhole ? end : "") });
    });

    /// <summary>Refuses.</summary>
    public Task RefuseAsync(IPage page, int status, string code, string message, string? retryAfter = null) => page.RouteAsync(Path, route =>
    {
        Keep(route);
        return route.FulfillAsync(new RouteFulfillOptions
        {
            Status = status, ContentType = "application/json", Body = JsonSerializer.Serialize(new { error = new { message, type = "x", code } }),
            Headers = retryAfter is null ? null : new Dictionary<string, string> { ["Retry-After"] = retryAfter },
        });
    });

    public static Task StopAsync(IPage page) => page.UnrouteAsync(Path);

    private void Keep(IRoute route) => Bodies.Add(JsonDocument.Parse(route.Request.PostData!).RootElement.Clone());

    private static string Event(object data) => $"data: {JsonSerializer.Serialize(data)}\n\n";
}

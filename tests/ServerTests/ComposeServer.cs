using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Server;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>A server that keeps articles in a temporary folder and has a small gallery, for all tests of a class.</summary>
public sealed class ComposeServer : IAsyncLifetime
{
    public const string Instruction = "Write a short article about the park. Outline: a red circle; a blue square.";

    private const int GalleryPictures = 8;

    private readonly string folder = Directory.CreateTempSubdirectory("xc2 compose-").FullName;

    public DemoServer Demo { get; private set; } = null!;

    public string Articles => Path.Combine(folder, "kept", "articles");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        Demo = await DemoServer.OfAsync(new ServerOptions { ArticlesFolder = Articles, Gallery = MakeGallery(Path.Combine(folder, "shapes")), KeepAlive = TimeSpan.FromMilliseconds(200) });

    public async ValueTask DisposeAsync()
    {
        await Demo.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A copy of some demo pictures: an index is written into the folder.</summary>
    public static string MakeGallery(string path)
    {
        Directory.CreateDirectory(path);
        foreach (string picture in Directory.EnumerateFiles(TestPaths.Repository("tools/demo/compose/gallery"), "*.png").Order(StringComparer.Ordinal).Take(GalleryPictures))
            File.Copy(picture, Path.Combine(path, Path.GetFileName(picture)));
        return path;
    }

    public static string Body(string fields, ulong seed = 5) => $$"""{"instruction":{{JsonSerializer.Serialize(Instruction)}},"seed":{{seed}},"temperature":0,{{fields}}}""";

    /// <summary>An article without figures.</summary>
    public async Task<string> ComposeTextAsync()
    {
        (int status, JsonElement body) = await Demo.PostAsync("/v1/xc2/compose", Body("\"figures\":0"));
        Assert.Equal(200, status);
        return body.GetProperty("article").GetProperty("id").GetString()!;
    }

    public Task<(int Status, JsonElement Body)> EditAsync(string id, string fields) => Demo.PostAsync($"/v1/xc2/articles/{id}/edit", $$"""{"temperature":0,"seed":3,{{fields}}}""");

    public async Task<JsonElement> ArticleAsync(string id) => await Demo.Http.GetFromJsonAsync<JsonElement>(new Uri($"/v1/xc2/articles/{id}", UriKind.Relative), Cancellation);

    /// <summary>Posts a request and reads its events, each as name and data; comments are left out.</summary>
    public static async IAsyncEnumerable<(string Name, JsonElement Data)> StreamAsync(HttpClient http, string path, string body, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        string name = "";
        while (await reader.ReadLineAsync(cancellation) is { } line)
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                yield return (name, JsonDocument.Parse(line[6..]).RootElement);
    }
}

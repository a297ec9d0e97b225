using System.ClientModel;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using XComposer2.Native.Server;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>A server with the demo checkpoint on a free port of this machine, for all tests of a class; and clients of it.</summary>
public sealed class DemoServer : IAsyncLifetime
{
    public const string Model = "demo";

    public XComposerServer Server { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public static EngineOptions Engine => new()
    {
        ModelPath = TestPaths.Repository("tools/demo/checkpoint"), Device = new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 2 },
        Limits = new EngineLimits { Sequences = 4, CacheBytes = 64 << 20 },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await StartAsync(new ServerOptions { PictureFolder = TestPaths.Repository("tools/demo/pictures") });

    /// <summary>A server of a test's own.</summary>
    public static async Task<DemoServer> OfAsync(ServerOptions options, EngineOptions? engine = null)
    {
        var server = new DemoServer();
        await server.StartAsync(options, engine);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
    }

    public ChatClient Chat(string key = "any") => new(
        Model, new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = new Uri(Http.BaseAddress!, "/v1"), RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0) });

    public static byte[] Picture(string name = "shapes-1.png") => File.ReadAllBytes(TestPaths.Repository("tools/demo/pictures/" + name));

    public static UserChatMessage AboutPicture(string text = "Describe this image.", string name = "shapes-1.png") =>
        new(ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(Picture(name)), "image/png"), ChatMessageContentPart.CreateTextPart(text));

    /// <summary>Posts a body and reads the response as JSON.</summary>
    public async Task<(int Status, JsonElement Body)> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await Http.PostAsync(new Uri(path, UriKind.Relative), content, Cancellation);
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation));
    }

    /// <summary>The body of a chat with one question of text parts and pictures.</summary>
    public static string ChatBody(string fields, params string[] parts) =>
        $$"""{"model":"demo","temperature":0,{{fields}}{{(fields.Length > 0 ? "," : "")}}"messages":[{"role":"user","content":[{{string.Join(',', parts)}}]}]}""";

    public static string TextPart(string text) => $$"""{"type":"text","text":{{JsonSerializer.Serialize(text)}}}""";

    public static string PicturePart(string url) => $$$"""{"type":"image_url","image_url":{"url":{{{JsonSerializer.Serialize(url)}}}}}""";

    public static string DataUrl(byte[] picture) => "data:image/png;base64," + Convert.ToBase64String(picture);

    /// <summary>Waits until the engine has nothing to do.</summary>
    internal async Task<EngineLoad> IdleLoadAsync()
    {
        for (int attempt = 0; ; attempt++)
        {
            EngineLoad load = await Server.State.Loaded!.Engine.LoadOfAsync();
            if ((load.Running, load.Waiting, Server.State.Loaded.Gate.Answers) == (0, 0, 0) || attempt == 500)
                return load;
            await Task.Delay(10, Cancellation);
        }
    }

    private async Task StartAsync(ServerOptions options, EngineOptions? engine = null)
    {
        Server = await XComposerServer.StartAsync(options with { Port = 0, Log = LogStyle.None }, Cancellation);
        Http = new HttpClient { BaseAddress = new Uri(Server.Addresses[0]) };
        await Server.LoadAsync(engine ?? Engine, Cancellation);
    }
}

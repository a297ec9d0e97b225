using System.Text.Json;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>More clients than the engine and its queue take: each answer is the one that its prompt has alone.</summary>
public sealed class LoadTests
{
    private const int Clients = 32, RequestsOfEach = 20;

    private static readonly string[] bodies =
    [
        DemoServer.ChatBody("\"max_tokens\":60", DemoServer.PicturePart(DemoServer.DataUrl(DemoServer.Picture())), DemoServer.TextPart("Describe this image.")),
        DemoServer.ChatBody("\"max_tokens\":40", DemoServer.PicturePart(DemoServer.DataUrl(DemoServer.Picture("shapes-2.png"))), DemoServer.TextPart("How many shapes are there?")),
        DemoServer.ChatBody("\"max_tokens\":24", DemoServer.TextPart("How many shapes are there?")),
        DemoServer.ChatBody("\"max_tokens\":24", DemoServer.TextPart("Hello")),
        """{"temperature":1.5,"seed":11,"top_p":1,"max_tokens":30,"messages":[{"role":"user","content":"Hello"}]}""",
        """{"temperature":0,"frequency_penalty":1,"presence_penalty":0.5,"max_tokens":30,"messages":[{"role":"user","content":"Hello"}]}""",
        """{"temperature":0,"max_tokens":30,"response_format":{"type":"json_object"},"messages":[{"role":"user","content":"Hello"}]}""",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_of_many_clients_are_those_of_one_alone()
    {
        await using DemoServer demo = await DemoServer.OfAsync(new ServerOptions { QueueLength = 12 });
        List<string> alone = [];
        foreach (string body in bodies)
            alone.Add((await AskAsync(demo, body)).Answer!);
        int refused = 0;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            for (int request = 0; request < RequestsOfEach; request++)
            {
                int kind = (client + request) % bodies.Length;
                string? answer;
                while ((answer = (await AskAsync(demo, bodies[kind])).Answer) is null)
                {
                    Interlocked.Increment(ref refused);
                    await Task.Delay(20, Cancellation);
                }

                Assert.Equal(alone[kind], answer);
            }
        }, Cancellation)));
        Assert.True(refused > 0, "the queue was never full: the load was too small to show anything");
        EngineLoad load = await demo.IdleLoadAsync();
        Assert.Equal((0, 0, 0, 0), (load.Running, load.Waiting, load.PagesInUse, demo.Server.State.Loaded!.Gate.Answers));
    }

    // No answer where the queue is full; nothing else may go wrong.
    private static async Task<(int Status, string? Answer)> AskAsync(DemoServer demo, string body)
    {
        (int status, JsonElement answer) = await demo.PostAsync("/v1/chat/completions", body);
        Assert.Contains(status, (int[])[200, 429]);
        return (status, status == 200 ? answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString() : null);
    }
}

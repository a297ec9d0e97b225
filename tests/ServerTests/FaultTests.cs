using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>Clients that vanish, cancel, or send garbage: the next request is answered rightly, and nothing stays in use.</summary>
public sealed class FaultTests(DemoServer demo) : IClassFixture<DemoServer>, IAsyncLifetime
{
    private const string Described = "The image shows a red star at the top.";

    private static readonly string question = DemoServer.ChatBody("\"max_tokens\":60", DemoServer.PicturePart(DemoServer.DataUrl(DemoServer.Picture())), DemoServer.TextPart("Describe this image."));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>After each test.</summary>
    public async ValueTask DisposeAsync()
    {
        EngineLoad load = await demo.IdleLoadAsync();
        Assert.Equal((0, 0, 0, 0), (load.Running, load.Waiting, load.PagesInUse, demo.Server.State.Loaded!.Gate.Answers));
        (int status, JsonElement body) = await demo.PostAsync("/v1/chat/completions", question);
        Assert.Equal((200, Described), (status, body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()));
    }

    [Fact]
    public async Task Clients_that_vanish_within_the_request_or_the_answer()
    {
        byte[] body = Encoding.UTF8.GetBytes("""{"prompt":"x","max_tokens":2000,"temperature":0,"ignore_eos":true,"stream":true}""");
        byte[] request = [.. Encoding.ASCII.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];
        var random = new Random(1);
        for (int client = 0; client < 60; client++)
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(demo.Http.BaseAddress!.Host, demo.Http.BaseAddress.Port, Cancellation);
            int sent = client % 2 == 0 ? request.Length : random.Next(1, request.Length);
            await connection.GetStream().WriteAsync(request.AsMemory(0, sent), Cancellation);
            if (client % 4 == 0)
                _ = await connection.GetStream().ReadAsync(new byte[random.Next(1, 600)], Cancellation);
            // Without the farewell of an orderly end.
            connection.Client.LingerState = new LingerOption(client % 3 == 0, 0);
        }
    }

    [Fact]
    public async Task Requests_that_are_cancelled_at_any_time()
    {
        var random = new Random(2);
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancellation }, async (_, cancellation) =>
        {
            int delay;
            lock (random)
                delay = random.Next(0, 40);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(delay);
            try
            {
                using var content = new StringContent(question, Encoding.UTF8, "application/json");
                using HttpResponseMessage response = await demo.Http.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // Meant.
            }
        });
    }

    [Fact]
    public async Task Mutated_requests_have_a_status_with_a_cause()
    {
        byte[] plain = Encoding.UTF8.GetBytes("""{"model":"demo","max_tokens":2,"temperature":0.5,"stop":["a","b"],"logit_bias":{"5":1},"logprobs":true,"top_logprobs":2,"n":1,"seed":3,"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"x"}]}]}""");
        var random = new Random(3);
        Dictionary<int, int> statuses = [];
        for (int request = 0; request < 400; request++)
        {
            using var content = new ByteArrayContent(Mutated(plain, random)) { Headers = { ContentType = new("application/json") } };
            using HttpResponseMessage response = await demo.Http.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, Cancellation);
            statuses[(int)response.StatusCode] = statuses.GetValueOrDefault((int)response.StatusCode) + 1;
            if (!response.IsSuccessStatusCode)
                Assert.False(string.IsNullOrEmpty(JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation)).RootElement.GetProperty("error").GetProperty("message").GetString()));
        }

        Assert.Equal([200, 400], statuses.Keys.Order());
    }

    [Fact]
    public async Task Answers_of_many_clients_at_once_are_those_of_one_alone()
    {
        string[] bodies =
        [
            question,
            DemoServer.ChatBody("\"max_tokens\":40", DemoServer.PicturePart(DemoServer.DataUrl(DemoServer.Picture("shapes-2.png"))), DemoServer.TextPart("How many shapes are there?")),
            DemoServer.ChatBody("\"max_tokens\":24", DemoServer.TextPart("How many shapes are there?")),
            """{"temperature":1.5,"seed":11,"top_p":1,"max_tokens":30,"messages":[{"role":"user","content":"Hello"}]}""",
            """{"temperature":0,"frequency_penalty":1,"presence_penalty":0.5,"max_tokens":30,"messages":[{"role":"user","content":"Hello"}]}""",
        ];
        List<string> alone = [];
        foreach (string body in bodies)
            alone.Add(await AnswerAsync(body));
        await Parallel.ForEachAsync(Enumerable.Range(0, 160), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Cancellation }, async (request, _) =>
            Assert.Equal(alone[request % bodies.Length], await AnswerAsync(bodies[request % bodies.Length])));

        async Task<string> AnswerAsync(string body)
        {
            for (; ; )
            {
                (int status, JsonElement answer) = await demo.PostAsync("/v1/chat/completions", body);
                if (status == 200)
                    return answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
                Assert.Equal(429, status);
                await Task.Delay(20, Cancellation);
            }
        }
    }

    private static byte[] Mutated(byte[] plain, Random random)
    {
        List<byte> bytes = [.. plain];
        for (int change = random.Next(1, 4); change > 0 && bytes.Count > 0; change--)
        {
            int place = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[place] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveAt(place);
                    break;
                case 2:
                    bytes.Insert(place, (byte)"\"{}[]:,0-9\\u"[random.Next(12)]);
                    break;
                default:
                    bytes.RemoveRange(place, Math.Min(random.Next(1, 20), bytes.Count - place));
                    break;
            }
        }

        return [.. bytes];
    }
}

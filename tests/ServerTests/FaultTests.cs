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
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancellation }, async (_, cancellation) =>
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
    public async Task Malformed_requests_are_refused()
    {
        string[] bodies = ["", "{", "[]", "null", "\"x\"", "{\"messages\":", "{\"messages\":[]}", "{\"messages\":[{\"role\":\"user\"}]}", "\u0000", new string('[', 5000)];
        string[] heads =
        [
            "POST /v1/chat/completions HTTP/1.1\r\n\r\n", "POST /v1/chat/completions HTTP/9.9\r\nHost: localhost\r\n\r\n", "BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "\u0016\u0003\u0001",
        ];
        for (int request = 0; request < 100; request++)
        {
            (int status, JsonElement answer) = await demo.PostAsync(request % 2 == 0 ? "/v1/chat/completions" : "/v1/messages", bodies[request % bodies.Length]);
            Assert.Equal((400, true), (status, answer.GetProperty("error").GetProperty("message").GetString()!.Length > 0));
            using var connection = new TcpClient();
            await connection.ConnectAsync(demo.Http.BaseAddress!.Host, demo.Http.BaseAddress.Port, Cancellation);
            NetworkStream stream = connection.GetStream();
            byte[] start = new byte[12];
            int read = 0;
            try
            {
                await stream.WriteAsync(Encoding.Latin1.GetBytes(heads[request % heads.Length]), Cancellation);
                connection.Client.Shutdown(SocketShutdown.Send);
                read = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, Cancellation);
            }
            catch (Exception closed) when (closed is IOException or SocketException)
            {
                // Without a word.
            }

            Assert.True(read == 0 || Encoding.ASCII.GetString(start, 0, read).StartsWith("HTTP/1.1 4", StringComparison.Ordinal) || Encoding.ASCII.GetString(start, 0, read).StartsWith("HTTP/1.1 505", StringComparison.Ordinal), Encoding.ASCII.GetString(start));
        }
    }

    [Fact]
    public async Task Oversized_requests_are_refused_before_they_are_read()
    {
        byte[] piece = new byte[64 << 10];
        Array.Fill(piece, (byte)' ');
        for (int request = 0; request < 50; request++)
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(demo.Http.BaseAddress!.Host, demo.Http.BaseAddress.Port, Cancellation);
            NetworkStream stream = connection.GetStream();
            string length = request % 2 == 0 ? "Content-Length: 99999999999" : "Transfer-Encoding: chunked";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n"), Cancellation);
            Task<string> answer = ReadAsync(stream);
            try
            {
                // Chunks of 64 KiB beyond the 32 MiB that are allowed.
                for (int chunk = 0; request % 2 == 1 && chunk < 600 && !answer.IsCompleted; chunk++)
                {
                    await stream.WriteAsync("10000\r\n"u8.ToArray(), Cancellation);
                    await stream.WriteAsync(piece, Cancellation);
                    await stream.WriteAsync("\r\n"u8.ToArray(), Cancellation);
                }
            }
            catch (IOException)
            {
                // Refused and closed.
            }

            Assert.StartsWith("HTTP/1.1 413", await answer, StringComparison.Ordinal);
        }

        static async Task<string> ReadAsync(NetworkStream stream)
        {
            byte[] start = new byte[12];
            int read = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, Cancellation);
            return Encoding.ASCII.GetString(start, 0, read);
        }
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace XComposer2.Native.UnitTests;

/// <summary>A local web server that answers with exactly the given bytes, so that responses can be invalid.</summary>
internal sealed class LoopbackService : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<string, string, byte[]> answer;
    private readonly Task serving;

    /// <param name="answer">Maps request line and content to the complete response; an empty one sends nothing.</param>
    public LoopbackService(Func<string, string, byte[]> answer)
    {
        this.answer = answer;
        listener.Start();
        Authority = $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        serving = Task.Run(ServeAsync);
    }

    public string Authority { get; }

    public Uri Address => new($"http://{Authority}/image/similar");

    /// <summary>Before each byte of a reply; none by default.</summary>
    public TimeSpan Pause { get; init; }

    public List<string> Requests { get; } = [];

    public static byte[] Reply(byte[] content, string headers = "", string status = "200 OK") =>
        [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {content.Length}\r\nConnection: close\r\n{headers}\r\n"), .. content];

    public static byte[] Reply(string content) => Reply(Encoding.UTF8.GetBytes(content));

    public static byte[] Redirect(string location, string status = "302 Found") => Reply([], $"Location: {location}\r\n", status);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await serving;
        stop.Dispose();
    }

    private async Task ServeAsync()
    {
        List<Task> open = [];
        try
        {
            while (true)
                open.Add(AnswerAsync(await listener.AcceptTcpClientAsync(stop.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                (string line, string content) = await ReadAsync(stream);
                lock (Requests)
                    Requests.Add($"{line}\n{content}");
                byte[] reply = answer(line, content);
                if (reply.Length == 0)
                    await Task.Delay(Timeout.Infinite, stop.Token);
                for (int i = 0; Pause > TimeSpan.Zero && i < reply.Length; i++)
                {
                    await Task.Delay(Pause, stop.Token);
                    await stream.WriteAsync(reply.AsMemory(i, 1), stop.Token);
                }
                if (Pause == TimeSpan.Zero)
                    await stream.WriteAsync(reply, stop.Token);
            }
            catch (Exception error) when (error is OperationCanceledException or IOException)
            {
                // The client has closed the connection, or the test has ended.
            }
        }
    }

    private async Task<(string Line, string Content)> ReadAsync(NetworkStream stream)
    {
        List<byte> bytes = [];
        byte[] buffer = new byte[4096];
        while (true)
        {
            string text = Encoding.UTF8.GetString([.. bytes]);
            int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                string? length = text[..end].Split("\r\n").FirstOrDefault(header => header.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
                int wanted = length is null ? 0 : int.Parse(length.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
                if (Encoding.UTF8.GetByteCount(text[(end + 4)..]) >= wanted)
                    return (text.Split("\r\n")[0], text[(end + 4)..]);
            }

            int read = await stream.ReadAsync(buffer, stop.Token);
            // A TLS client would wait for a TLS response.
            if (read == 0 || buffer[0] == 0x16)
                throw new IOException("the client has disconnected");
            bytes.AddRange(buffer.AsSpan(0, read));
        }
    }
}

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace XComposer2.Native.Server;

/// <summary>A response of server-sent events. Not thread-safe.</summary>
/// <param name="response">Not started yet.</param>
/// <param name="keepAlive">After so much silence a comment is sent.</param>
internal sealed class EventStream(HttpResponse response, TimeSpan keepAlive)
{
    private CancellationToken Aborted => response.HttpContext.RequestAborted;

    /// <summary>Sends the header.</summary>
    public async Task BeginAsync()
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        // Proxies would collect events otherwise.
        response.Headers["X-Accel-Buffering"] = "no";
        await response.StartAsync(Aborted).ConfigureAwait(false);
        await response.BodyWriter.FlushAsync(Aborted).ConfigureAwait(false);
    }

    /// <summary>Sends one event.</summary>
    /// <param name="value">Its data.</param>
    /// <param name="type">How to write it.</param>
    /// <param name="name">Its name; null for none.</param>
    public Task SendAsync<T>(T value, JsonTypeInfo<T> type, string? name = null)
    {
        if (name is not null)
            Write(System.Text.Encoding.UTF8.GetBytes($"event: {name}\n"));
        Write("data: "u8);
        using (var writer = new Utf8JsonWriter(response.BodyWriter, new JsonWriterOptions { Encoder = type.Options.Encoder }))
            JsonSerializer.Serialize(writer, value, type);
        Write("\n\n"u8);
        return FlushAsync();
    }

    /// <summary>The last event in OpenAI's streams.</summary>
    public Task SendDoneAsync()
    {
        Write("data: [DONE]\n\n"u8);
        return FlushAsync();
    }

    /// <summary>Waits for the next element, with comments meanwhile.</summary>
    /// <returns>False at the end.</returns>
    public Task<bool> WaitAsync<T>(ChannelReader<T> reader, CancellationToken cancellation) => WaitAsync(reader.WaitToReadAsync(cancellation).AsTask(), cancellation);

    /// <summary>Waits for whatever comes next, with comments meanwhile.</summary>
    /// <returns>What it returns.</returns>
    public async Task<T> WaitAsync<T>(Task<T> next, CancellationToken cancellation)
    {
        while (!next.IsCompleted)
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (await Task.WhenAny(next, Task.Delay(keepAlive, silence.Token)).ConfigureAwait(false) != next && !cancellation.IsCancellationRequested)
            {
                Write(": keep-alive\n\n"u8);
                await FlushAsync().ConfigureAwait(false);
            }

            await silence.CancelAsync().ConfigureAwait(false);
        }

        return await next.ConfigureAwait(false);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(response.BodyWriter.GetSpan(bytes.Length));
        response.BodyWriter.Advance(bytes.Length);
    }

    private async Task FlushAsync()
    {
        System.IO.Pipelines.FlushResult result = await response.BodyWriter.FlushAsync(Aborted).ConfigureAwait(false);
        if (result.IsCompleted)
            throw new OperationCanceledException("the client has gone", Aborted);
    }
}

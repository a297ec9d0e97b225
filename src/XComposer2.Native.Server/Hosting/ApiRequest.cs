using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace XComposer2.Native.Server;

/// <summary>One request with its body, and the token that ends it: when its client has gone, when it is late, when the server stops.</summary>
internal sealed class ApiRequest : IDisposable
{
    private const int MaximumDepth = 64;

    private readonly CancellationTokenSource deadline;
    private readonly CancellationTokenSource ended;
    private readonly JsonDocument body;
    private readonly long arrived = Stopwatch.GetTimestamp();

    private ApiRequest(HttpContext context, ServerState server, JsonDocument body)
    {
        Http = context;
        Server = server;
        this.body = body;
        Fields = RequestFields.Of(body.RootElement);
        deadline = new CancellationTokenSource(server.Options.RequestTimeout);
        ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, server.Stopped, deadline.Token);
    }

    public HttpContext Http { get; }

    public ServerState Server { get; }

    public RequestFields Fields { get; }

    /// <summary>Set when the request must end.</summary>
    public CancellationToken Ended => ended.Token;

    /// <summary>Since its body was complete.</summary>
    public TimeSpan Age => Stopwatch.GetElapsedTime(arrived);

    /// <summary>Unique within the process' life, with a prefix.</summary>
    public string NewId(string prefix) => $"{prefix}-{Http.TraceIdentifier}";

    /// <summary>Reads the body.</summary>
    /// <exception cref="ApiException">It is no JSON object.</exception>
    public static async Task<ApiRequest> ReadAsync(HttpContext context, ServerState server)
    {
        // A form or a plain text could come from a page of any other site without the browser asking first.
        if (!IsJson(context.Request.ContentType))
            throw new ApiException(415, ApiException.InvalidRequest, "expected the header Content-Type: application/json");
        JsonDocument body;
        try
        {
            body = await JsonDocument.ParseAsync(context.Request.Body, new JsonDocumentOptions { MaxDepth = MaximumDepth }, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException error)
        {
            throw ApiException.Invalid(null, $"the request is not JSON: {error.Message}");
        }

        try
        {
            // The parser does not look into texts and names.
            ReadOnlySpan<byte> raw = JsonMarshal.GetRawUtf8Value(body.RootElement);
            if (!Utf8.IsValid(raw))
                throw ApiException.Invalid(null, "the request is not UTF-8");
            if (raw.IndexOf("\\ud"u8) >= 0 || raw.IndexOf("\\uD"u8) >= 0)
                RequireWholeCharacters(body.RootElement, "");
            return new ApiRequest(context, server, body);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Ends what runs for the request.</summary>
    public void Cancel() => ended.Cancel();

    /// <summary>What an end by <see cref="Ended"/> means for the client.</summary>
    public Exception Explain(OperationCanceledException failure) => deadline.IsCancellationRequested && !Http.RequestAborted.IsCancellationRequested && !Server.Stopped.IsCancellationRequested
        ? new TimeoutException(FormattableString.Invariant($"the request was not complete after {Server.Options.RequestTimeout.TotalSeconds:g} s, its time limit"))
        : failure;

    /// <summary>Sends a response.</summary>
    public Task RespondAsync<T>(T value, JsonTypeInfo<T> type) => WriteAsync(Http, StatusCodes.Status200OK, value, type);

    /// <summary>Sends a response.</summary>
    public static async Task WriteAsync<T>(HttpContext context, int status, T value, JsonTypeInfo<T> type)
    {
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }

    public void Dispose()
    {
        ended.Dispose();
        deadline.Dispose();
        body.Dispose();
    }

    // Half of a surrogate pair can be escaped in JSON, and fails wherever the text or name is compared.
    private static void RequireWholeCharacters(JsonElement element, string path)
    {
        try
        {
            if (element.ValueKind == JsonValueKind.Object)
                foreach (JsonProperty member in element.EnumerateObject())
                    RequireWholeCharacters(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}");
            else if (element.ValueKind == JsonValueKind.Array)
                foreach ((int index, JsonElement item) in element.EnumerateArray().Index())
                    RequireWholeCharacters(item, $"{path}[{index}]");
            else if (element.ValueKind == JsonValueKind.String && JsonMarshal.GetRawUtf8Value(element).Contains((byte)'\\'))
                _ = element.GetString();
        }
        catch (InvalidOperationException)
        {
            throw ApiException.Invalid(path.Length == 0 ? null : path, $"{(path.Length == 0 ? "the request" : path)}: expected texts and names of whole characters, found half of a surrogate pair");
        }
    }

    private static bool IsJson(string? contentType) =>
        contentType is not null && contentType.Split(';')[0].Trim() is var type && (type.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
}

using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace XComposer2.Native.Server;

/// <summary>Answers one kind of request.</summary>
internal delegate Task RequestHandler(HttpContext context);

/// <summary>A path and its handler.</summary>
/// <param name="Method">GET, POST or DELETE; a POST wakes the model.</param>
/// <param name="Path">As in the request; one that ends in a slash is a prefix, but for the root.</param>
/// <param name="Handler">Throws what the client is told.</param>
/// <param name="IsOpen">No key is wanted.</param>
internal sealed record Route(string Method, string Path, RequestHandler Handler, bool IsOpen = false);

/// <summary>From a request to its handler: host, key, route; and from every failure to an error response and a line of the log.</summary>
internal sealed partial class RequestPipeline
{
    private static readonly string[] loopbackNames = ["localhost", "127.0.0.1", "[::1]", "::1"];

    private readonly ServerState server;
    private readonly IReadOnlyList<Route> routes;
    private readonly byte[][] keyHashes;
    private readonly bool isLoopback;

    public RequestPipeline(ServerState server, IReadOnlyList<Route> routes)
    {
        this.server = server;
        this.routes = routes;
        keyHashes = [.. server.Options.ApiKeys.Select(key => SHA256.HashData(Encoding.UTF8.GetBytes(key)))];
        isLoopback = server.Options.Host == "localhost" || (IPAddress.TryParse(server.Options.Host, out IPAddress? address) && IPAddress.IsLoopback(address));
    }

    public async Task HandleAsync(HttpContext context)
    {
        long start = Stopwatch.GetTimestamp();
        context.Response.Headers["X-Request-Id"] = context.TraceIdentifier;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        // Pages of other sites may not show what this one serves.
        context.Response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
        int status;
        try
        {
            Route route = RouteOf(context);
            using IDisposable? use = route.Method == HttpMethods.Post ? await server.UseModelAsync(context.RequestAborted).ConfigureAwait(false) : null;
            await route.Handler(context).ConfigureAwait(false);
            status = context.Response.StatusCode;
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            status = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception failure)
        {
            ApiException error = ApiException.Of(failure);
            status = error.Status;
            if (status >= 500 && status != 503)
                LogFailure(server.Log, context.TraceIdentifier, failure);
            await RespondAsync(context, error).ConfigureAwait(false);
        }

        server.Metrics.Respond(status);
        string path = Printable(context.Request.Path);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        LogRequest(server.Log, context.TraceIdentifier, context.Request.Method, path, status, milliseconds);
    }

    private Route RouteOf(HttpContext context)
    {
        // A name that somebody else's server resolves to this machine would otherwise let a page of theirs in.
        if (isLoopback && !loopbackNames.Contains(context.Request.Host.Host, StringComparer.OrdinalIgnoreCase))
            throw new ApiException(403, ApiException.InvalidRequest, "this server answers requests for localhost only; --host makes it reachable under other names") { Code = "host_not_allowed" };
        string path = context.Request.Path.Value ?? "";
        Route[] found = [.. routes.Where(route => route.Path == path || (route.Path.Length > 1 && route.Path[^1] == '/' && path.StartsWith(route.Path, StringComparison.Ordinal)))];
        Route? route = Array.Find(found, candidate => HttpMethods.Equals(candidate.Method, context.Request.Method));
        if (route is not { IsOpen: true } && keyHashes.Length > 0 && !HasKey(context.Request))
            throw new ApiException(401, ApiException.InvalidRequest, "a valid API key is required: Authorization: Bearer KEY") { Code = "invalid_api_key" };
        if (route is not null)
            return route;
        if (found.Length == 0)
            throw new ApiException(404, ApiException.InvalidRequest, $"there is no {Printable(path)}") { Code = "not_found" };
        string methods = string.Join(", ", found.Select(candidate => candidate.Method));
        context.Response.Headers.Allow = methods;
        throw new ApiException(405, ApiException.InvalidRequest, $"{Printable(path)} expects {methods}") { Code = "method_not_allowed" };
    }

    private bool HasKey(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        string? authorization = request.Headers.Authorization;
        string given = authorization is not null && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authorization[Scheme.Length..].Trim() : request.Headers["x-api-key"].ToString();
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(given));
        bool isKnown = false;
        // All of them, so that the time says nothing.
        foreach (byte[] known in keyHashes)
            isKnown |= CryptographicOperations.FixedTimeEquals(known, hash);
        return isKnown;
    }

    private static async Task RespondAsync(HttpContext context, ApiException error)
    {
        try
        {
            if (context.Request.Path.StartsWithSegments(MessagesEndpoint.Path, StringComparison.Ordinal))
                await WriteAsync(context, error, MessageErrorJson.Of(error, context.TraceIdentifier), AnthropicJson.Lines.MessageErrorJson, "error").ConfigureAwait(false);
            else
                await WriteAsync(context, error, ErrorResponseJson.Of(error), OpenAiJson.Lines.ErrorResponseJson, context.Request.Path.StartsWithSegments(ArticleEndpoints.Prefix, StringComparison.Ordinal) ? "error" : null).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException)
        {
            // Nobody is left to tell.
        }
    }

    private static Task WriteAsync<T>(HttpContext context, ApiException error, T body, JsonTypeInfo<T> type, string? eventName)
    {
        if (context.Response.HasStarted)
        {
            if (context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) == true)
                return new EventStream(context.Response, Timeout.InfiniteTimeSpan).SendAsync(body, type, eventName);
            context.Abort();
            return Task.CompletedTask;
        }

        if (error.RetryAfter is { } later)
            context.Response.Headers.RetryAfter = ((int)Math.Ceiling(later.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return ApiRequest.WriteAsync(context, error.Status, body, type);
    }

    /// <summary>A path for messages.</summary>
    public static string Printable(string path) => new([.. path.Take(200).Select(letter => char.IsControl(letter) ? '?' : letter)]);

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Id} {Method} {Path} {Status} {Milliseconds:0.0} ms")]
    private static partial void LogRequest(ILogger log, string id, string method, string path, int status, double milliseconds);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "{Id} failed")]
    private static partial void LogFailure(ILogger log, string id, Exception failure);
}

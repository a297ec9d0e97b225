using System.Globalization;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Composition.Storage;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>A request that gets an error as its response. The message is meant for the client.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="type">Type of the error in OpenAI's terms.</param>
/// <param name="message">One sentence.</param>
internal sealed class ApiException(int status, string type, string message) : Exception(message)
{
    public const string InvalidRequest = "invalid_request_error", ServerError = "server_error", Unavailable = "unavailable_error", RateLimit = "rate_limit_error", TimedOut = "timeout_error";

    public int Status => status;

    public string Type => type;

    /// <summary>The field of the request; null where no field is wrong.</summary>
    public string? Parameter { get; init; }

    /// <summary>For programs; null for none.</summary>
    public string? Code { get; init; }

    /// <summary>When to try again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Status 400.</summary>
    public static ApiException Invalid(string? parameter, string message, string? code = null) => new(400, InvalidRequest, message) { Parameter = parameter, Code = code };

    /// <summary>A field with an unexpected value.</summary>
    public static ApiException Unexpected(string parameter, string expected, string found) => Invalid(parameter, $"{parameter}: expected {expected}, found {found}");

    /// <summary>What this server does not do.</summary>
    public static ApiException Unsupported(string parameter, string message) => Invalid(parameter, message, "unsupported_parameter");

    /// <summary>Status 503.</summary>
    public static ApiException NotReady(string message) => new(503, Unavailable, message) { Code = "503", RetryAfter = TimeSpan.FromSeconds(2) };

    /// <summary>What a failure means for the client. Details of unexpected ones stay in the log.</summary>
    public static ApiException Of(Exception failure) => failure switch
    {
        ApiException known => known,
        ContextFullException full => Invalid("messages", full.Message, "context_length_exceeded"),
        PromptException prompt => Invalid("messages", prompt.Message),
        ImageException or ImageSourceException => Invalid("messages", failure.Message, "invalid_image"),
        TimeoutException late => new ApiException(504, TimedOut, late.Message) { Code = "timeout" },
        Microsoft.AspNetCore.Http.BadHttpRequestException { StatusCode: 413 } => new ApiException(413, InvalidRequest, "the request body is too large") { Code = "request_too_large" },
        Microsoft.AspNetCore.Http.BadHttpRequestException bad => new ApiException(bad.StatusCode, InvalidRequest, bad.Message),
        ObjectDisposedException or OperationCanceledException => NotReady("the server is shutting down"),
        // Paths of the server are for its log.
        ArticleFileException => new ApiException(500, ServerError, "the article cannot be read or written; the log of the server has details"),
        XComposerException known => new ApiException(500, ServerError, known.Message),
        _ => new ApiException(500, ServerError, string.Create(CultureInfo.InvariantCulture, $"unexpected {failure.GetType().Name}; the log of the server has details")),
    };
}

using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using XComposer2.Native.Evaluation.DataSets;

namespace XComposer2.Native.Evaluation.Judging;

/// <summary>Asks an OpenAI-compatible endpoint for verdicts. Each verdict is in the file before the next ones are asked for, so that none is paid for twice.</summary>
/// <param name="client">Not owned.</param>
/// <param name="address">The base address, which ends with the version: <c>https://host/v1</c>.</param>
/// <param name="model">The name of the judge.</param>
/// <param name="key">The key of the service; null for none.</param>
internal sealed class JudgeEndpoint(HttpClient client, Uri address, string model, string? key)
{
    private const int Together = 4, Attempts = 4;

    private static readonly TimeSpan firstPause = TimeSpan.FromSeconds(1);

    /// <param name="benchmark">The data set.</param>
    /// <param name="requests">What has no verdict yet.</param>
    /// <param name="path">The file that verdicts are added to.</param>
    /// <param name="progress">Told the number of verdicts; null for nobody.</param>
    /// <param name="cancellation">Ends the requests.</param>
    /// <exception cref="EvaluationException">The endpoint refuses a request, or the file cannot be written.</exception>
    public async Task AskAsync(Benchmark benchmark, IReadOnlyList<JudgeRequest> requests, string path, IProgress<int>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(requests);
        try
        {
            using FileStream file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read);
            int done = 0;
            foreach (JudgeRequest[] group in requests.Chunk(Together))
            {
                string[] verdicts = await Task.WhenAll(group.Select(request => AskAsync(request, cancellation))).ConfigureAwait(false);
                for (int i = 0; i < group.Length; i++)
                    file.Write(VerdictFile.ToLine(benchmark, group[i].Index, verdicts[i]));
                file.Flush(flushToDisk: true);
                progress?.Report(done += group.Length);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EvaluationException($"{path}: {failure.Message}", failure);
        }
    }

    private async Task<string> AskAsync(JudgeRequest request, CancellationToken cancellation)
    {
        TimeSpan pause = firstPause;
        for (int attempt = 1; ; attempt++)
        {
            string problem;
            try
            {
                using HttpResponseMessage response = await PostAsync(request, cancellation).ConfigureAwait(false);
                byte[] body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
                if (response.IsSuccessStatusCode && ContentOf(body) is { } verdict)
                    return verdict;
                problem = response.IsSuccessStatusCode ? "expected a chat completion with a text" : $"status {(int)response.StatusCode}";
                if (response.StatusCode is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests and not HttpStatusCode.RequestTimeout)
                    throw new EvaluationException($"judge at {address}: index {request.Index}: {problem}");
            }
            catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                problem = failure.Message;
            }

            if (attempt == Attempts)
                throw new EvaluationException($"judge at {address}: index {request.Index}: {problem}, {Attempts} times");
            await Task.Delay(pause, cancellation).ConfigureAwait(false);
            pause *= 2;
        }
    }

    private Task<HttpResponseMessage> PostAsync(JudgeRequest request, CancellationToken cancellation)
    {
        using MemoryStream body = new();
        using (Utf8JsonWriter writer = new(body))
            request.WriteBody(writer, model);
        HttpRequestMessage message = new(HttpMethod.Post, new Uri(address.AbsoluteUri.TrimEnd('/') + "/chat/completions"))
        {
            Content = new ByteArrayContent(body.ToArray()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        if (key is not null)
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client.SendAsync(message, cancellation);
    }

    private static string? ContentOf(byte[] body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return VerdictFile.Content(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

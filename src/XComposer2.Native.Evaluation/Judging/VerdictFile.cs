using System.Text.Encodings.Web;
using System.Text.Json;
using XComposer2.Native.Evaluation.DataSets;

namespace XComposer2.Native.Evaluation.Judging;

/// <summary>
/// What a judge said, one JSON object a line: <c>{"index": "7", "verdict": "0.8"}</c>, with <c>"dataset"</c> where a file holds several; or the output of
/// OpenAI's batch service for our file of requests.
/// </summary>
internal static class VerdictFile
{
    /// <summary>Names a request in files.</summary>
    public static string IdOf(Benchmark benchmark, string index)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        return $"{benchmark.Name}/{index}";
    }

    /// <summary>The verdicts about a data set, by index; the last of several about one answer counts. Failed requests of a batch service are left out.</summary>
    /// <exception cref="EvaluationException">The file is unreadable; line and field are named.</exception>
    public static Dictionary<string, string> Read(string path, Benchmark benchmark)
    {
        Dictionary<string, string> verdicts = new(StringComparer.Ordinal);
        int number = 0;
        try
        {
            foreach (string line in File.ReadLines(path))
            {
                number++;
                if (line.Length == 0)
                    continue;
                using JsonDocument document = JsonDocument.Parse(line);
                if (Index(document.RootElement, benchmark, path, number) is { } index && Verdict(document.RootElement, path, number) is { } verdict)
                    verdicts[index] = verdict;
            }
        }
        catch (JsonException failure)
        {
            throw new EvaluationException($"{path}, line {number}: expected JSON: {failure.Message}", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EvaluationException($"{path}: {failure.Message}", failure);
        }

        return verdicts;
    }

    /// <summary>A line of our own layout, with its end.</summary>
    public static byte[] ToLine(Benchmark benchmark, string index, string verdict)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        using MemoryStream line = new();
        using (Utf8JsonWriter writer = new(line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("dataset", benchmark.Name);
            writer.WriteString("index", index);
            writer.WriteString("verdict", verdict);
            writer.WriteEndObject();
        }

        line.WriteByte((byte)'\n');
        return line.ToArray();
    }

    private static string? Index(JsonElement line, Benchmark benchmark, string path, int number)
    {
        if (line.ValueKind == JsonValueKind.Object && line.TryGetProperty("custom_id", out JsonElement id))
            return id.ToString() is var text && text.StartsWith(benchmark.Name + "/", StringComparison.Ordinal) ? text[(benchmark.Name.Length + 1)..] : null;
        if (line.ValueKind != JsonValueKind.Object || !line.TryGetProperty("index", out JsonElement index))
            throw new EvaluationException($"{path}, line {number}: expected the field index or custom_id");
        return !line.TryGetProperty("dataset", out JsonElement name) || name.ToString() == benchmark.Name ? index.ToString() : null;
    }

    private static string? Verdict(JsonElement line, string path, int number)
    {
        if (line.TryGetProperty("verdict", out JsonElement verdict))
            return verdict.ToString();
        if (!line.TryGetProperty("response", out JsonElement response))
            throw new EvaluationException($"{path}, line {number}: expected the field verdict or response");
        return response.ValueKind == JsonValueKind.Object && response.TryGetProperty("body", out JsonElement body) ? Content(body) : null;
    }

    /// <summary>The text of a chat completion, or null where it has none.</summary>
    public static string? Content(JsonElement completion) =>
        completion.ValueKind == JsonValueKind.Object && completion.TryGetProperty("choices", out JsonElement choices) && choices.ValueKind == JsonValueKind.Array && choices.GetArrayLength() > 0
        && choices[0].TryGetProperty("message", out JsonElement message) && message.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String
            ? content.GetString() : null;
}

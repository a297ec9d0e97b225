using System.Text.Json;
using XComposer2.Native.Batch;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Scoring;

namespace XComposer2.Native.Evaluation.Running;

/// <summary>One line of the file of answers: an answer, or why there is none.</summary>
/// <param name="Index">The index of the sample.</param>
/// <param name="Prediction">What is scored; null where there is no answer.</param>
/// <param name="Text">What the model wrote; null where another program has noted the prediction alone.</param>
/// <param name="Error">Why there is no answer.</param>
internal sealed record AnswerLine(string Index, string? Prediction, string? Text, string? Error)
{
    /// <summary>What a protocol scores; answers of the other protocol are taken from their texts.</summary>
    public string? PredictionFor(Benchmark benchmark, Protocol protocol) => Prediction is null || Text is null ? Prediction : PredictionOf(Text, benchmark, protocol);

    /// <summary>The prediction that the source's own program would note for a generated text.</summary>
    public static string PredictionOf(string text, Benchmark benchmark, Protocol protocol) => (protocol, benchmark.Kind) switch
    {
        (Protocol.VlmEvalKit, BenchmarkKind.MultipleChoice or BenchmarkKind.Circular) => ModelText.FirstLetter(ModelText.CutAndStrip(text), 'Z', "Z"),
        (Protocol.Original, BenchmarkKind.Mme) => ModelText.Cut(text),
        _ => ModelText.CutAndStrip(text),
    };

    /// <summary>Writes a result; the same result gives the same bytes.</summary>
    public static void Write(Utf8JsonWriter writer, BatchResult<DataSetSample> result, Benchmark benchmark, Protocol protocol)
    {
        writer.WriteStartObject();
        writer.WriteNumber("row", result.Source.TableRow + 1);
        writer.WriteString("index", result.Source.Index);
        if (result.Answer is { } answer)
        {
            writer.WriteString("prediction", PredictionOf(answer.Text, benchmark, protocol));
            writer.WriteString("text", answer.Text);
            writer.WriteNumber("tokens", answer.TokenIds.Count);
        }
        else if (result.Failure is { } failure)
        {
            writer.WriteStartObject("error");
            writer.WriteString("code", failure.Code);
            writer.WriteString("message", failure.Message);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    /// <summary>Reads a line again.</summary>
    /// <exception cref="EvaluationException">It is no answer.</exception>
    public static AnswerLine Read(JsonElement line, string path, long number)
    {
        if (line.ValueKind != JsonValueKind.Object)
            throw new EvaluationException($"{path}, line {number + 1}: expected an object, found {line.ValueKind}");
        if (!line.TryGetProperty("index", out JsonElement index))
            throw new EvaluationException($"{path}, line {number + 1}: expected the field index");
        string? error = line.TryGetProperty("error", out JsonElement failure) ? failure.ValueKind == JsonValueKind.Object && failure.TryGetProperty("message", out JsonElement message) ? message.ToString() : failure.ToString() : null;
        string? prediction = line.TryGetProperty("prediction", out JsonElement predicted) ? predicted.ToString() : null;
        if (prediction is null && error is null)
            throw new EvaluationException($"{path}, line {number + 1}: expected the field prediction or error");
        return new AnswerLine(index.ToString(), prediction, line.TryGetProperty("text", out JsonElement text) ? text.ToString() : null, error);
    }

    /// <summary>Reads a whole file of answers; a last line that a kill has cut off is left out.</summary>
    /// <exception cref="EvaluationException">It is missing, or a line is no answer.</exception>
    public static List<AnswerLine> ReadAll(string path)
    {
        List<AnswerLine> lines = [];
        int number = 0;
        try
        {
            string[] texts = File.ReadAllText(path).Split('\n');
            foreach (string text in texts)
            {
                number++;
                if (text.Length == 0 || (number == texts.Length && !IsJson(text)))
                    continue;
                using JsonDocument document = JsonDocument.Parse(text);
                lines.Add(Read(document.RootElement, path, number - 1));
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

        return lines;
    }

    private static bool IsJson(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

using System.Text.Json;

namespace XComposer2.Native.Batch;

/// <summary>What is written of a result, after the filters.</summary>
/// <param name="Result">As the runner gave it.</param>
/// <param name="Text">The answer with its prefix; null for none.</param>
/// <param name="Filtered">Why it is left out; null if it is not.</param>
internal readonly record struct JudgedResult(BatchResult<RowSource> Result, string? Text, string? Filtered)
{
    public ResultStatus Status => Result.Failure is not null ? ResultStatus.Error : Filtered is not null ? ResultStatus.Filtered : ResultStatus.Ok;
}

/// <summary>What became of a row.</summary>
internal enum ResultStatus
{
    Ok,
    Filtered,
    Error,
}

/// <summary>How results are written as lines of JSON, and read again when a run is resumed.</summary>
internal abstract class ResultFormat
{
    /// <summary>One object.</summary>
    public abstract void Write(Utf8JsonWriter writer, in JudgedResult judged);

    /// <exception cref="BatchException">The line is not of this format.</exception>
    public abstract WrittenResult Read(JsonElement line);
}

/// <summary>A result of an earlier run.</summary>
/// <param name="Id">Name of the row.</param>
/// <param name="Status">What became of it.</param>
/// <param name="Text">The answer; null for none.</param>
internal readonly record struct WrittenResult(string Id, ResultStatus Status, string? Text);

/// <summary>The lines that <c>xc2 batch</c> writes: number, id, image, prompt, status, text and so on.</summary>
internal sealed class RowFormat : ResultFormat
{
    private static readonly string[] statusNames = ["ok", "filtered", "error"];

    public override void Write(Utf8JsonWriter writer, in JudgedResult judged)
    {
        BatchResult<RowSource> result = judged.Result;
        writer.WriteStartObject();
        writer.WriteNumber("number", result.Number);
        writer.WriteString("id", result.Id);
        if (result.Source.Image is { } image)
            writer.WriteString("image", image);
        writer.WriteString("prompt", result.Source.Prompt);
        writer.WriteString("status", statusNames[(int)judged.Status]);
        if (judged.Text is { } text)
            writer.WriteString("text", text);
        if (result.Answer is { } answer)
        {
            writer.WriteString("finish_reason", answer.FinishReason == FinishReason.Length ? "length" : "stop");
            writer.WriteNumber("tokens", answer.Usage.CompletionTokens);
        }

        if (judged.Filtered is { } why)
            writer.WriteString("filter", why);
        if (result.Failure is { } failure)
        {
            writer.WriteStartObject("error");
            writer.WriteString("code", failure.Code);
            writer.WriteString("message", failure.Message);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    public override WrittenResult Read(JsonElement line)
    {
        if (!line.TryGetProperty("id", out JsonElement id) || id.ValueKind != JsonValueKind.String || !line.TryGetProperty("status", out JsonElement status) || status.ValueKind != JsonValueKind.String
            || Array.IndexOf(statusNames, status.GetString()) is not (>= 0 and int known))
            throw new BatchException("expected a result with id and status");
        return new WrittenResult(id.GetString()!, (ResultStatus)known, line.TryGetProperty("text", out JsonElement text) ? text.GetString() : null);
    }
}

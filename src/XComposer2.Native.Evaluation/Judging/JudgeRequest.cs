using System.Text.Encodings.Web;
using System.Text.Json;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;
using XComposer2.Native.Evaluation.Scoring;

namespace XComposer2.Native.Evaluation.Judging;

/// <summary>What a judge is asked about one answer.</summary>
/// <param name="Index">The index of the sample.</param>
/// <param name="Text">The text for the judge.</param>
internal sealed record JudgeRequest(string Index, string Text)
{
    private const int MaximumVerdictTokens = 256;

    private const string MathTask =
        "Extract the final answer from a model's response to a question about a picture. Reply with the answer alone: an option letter, a number, a list or a short text, " +
        "in the form that the question asks for. Reply with an empty line where the response holds no answer.";

    private const string GradeTask =
        "Grade a model's response to a question about a picture against the right answer. <AND> between parts of the right answer: all of them are needed. " +
        "<OR>: any one is enough. Reply with a number alone: 0.0 (wrong), 0.1, 0.2, ..., 1.0 (right).";

    private const string CompareTask =
        "Two assistants answer a question about a picture, which is described by the context. Rate helpfulness, relevance, accuracy and detail of both answers, each from 1 to 10. " +
        "The order of the answers must not influence you. The first line of the reply holds the two scores alone, with a blank between them; the reason follows on the next lines.";

    private const string CreationTask =
        "Rate a text that a model has written for a task from 1 (useless) to 10 (excellent): how well it does what the task asks for, its content, its language. " +
        "A reference shows a text of good quality, where there is one. The first line of the reply holds the score alone; the reason follows on the next lines.";

    /// <summary>All answers that need a judge, in the order of the sheet.</summary>
    public static List<JudgeRequest> For(Benchmark benchmark, AnswerSheet sheet)
    {
        List<JudgeRequest> requests = [];
        for (int row = 0; row < sheet.Count; row++)
            if (benchmark.Kind != BenchmarkKind.MathVista || !MathVista.Prefetch(sheet, row).Succeeds)
                requests.Add(new JudgeRequest(sheet.Index(row), TextFor(benchmark.Kind, sheet, row)));
        return requests;
    }

    /// <summary>One line of a file of requests, in the layout of OpenAI's batch files.</summary>
    public byte[] ToLine(Benchmark benchmark, string model)
    {
        using MemoryStream line = new();
        using (Utf8JsonWriter writer = new(line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("custom_id", VerdictFile.IdOf(benchmark, Index));
            writer.WriteString("method", "POST");
            writer.WriteString("url", "/v1/chat/completions");
            writer.WritePropertyName("body");
            WriteBody(writer, model);
            writer.WriteEndObject();
        }

        line.WriteByte((byte)'\n');
        return line.ToArray();
    }

    /// <summary>The body of a request to an OpenAI-compatible endpoint.</summary>
    public void WriteBody(Utf8JsonWriter writer, string model)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStartObject();
        writer.WriteString("model", model);
        writer.WriteNumber("temperature", 0);
        writer.WriteNumber("max_tokens", MaximumVerdictTokens);
        writer.WriteStartArray("messages");
        writer.WriteStartObject();
        writer.WriteString("role", "user");
        writer.WriteString("content", Text);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static string TextFor(BenchmarkKind kind, AnswerSheet sheet, int row)
    {
        string question = sheet.Raw(row, "question"), answer = PythonString.Strip(sheet.RawPredictions[row]);
        return kind switch
        {
            BenchmarkKind.MathVista => $"{MathTask}\n\n[Question]\n{question}\n\n[Response]\n{answer}\n",
            BenchmarkKind.MmVet => $"{GradeTask}\n\n[Question]\n{question}\n\n[Right answer]\n{sheet.Raw(row, "answer")}\n\n[Response]\n{answer}\n",
            BenchmarkKind.LlavaBench => $"{CompareTask}\n\n[Context]\n{sheet.Raw(row, "caption")}\n\n[Question]\n{question}\n\n[Assistant 1]\n{sheet.Raw(row, "gpt4_ans")}\n\n[Assistant 2]\n{answer}\n",
            _ => $"{CreationTask}\n\n[Task]\n{question}\n\n{(sheet.Raw(row, "answer") is { Length: > 0 } reference ? $"[Reference]\n{reference}\n\n" : "")}[Text]\n{answer}\n",
        };
    }
}

using System.Text.Encodings.Web;
using System.Text.Json;

namespace XComposer2.Native.Evaluation.Reports;

/// <summary>Reports for programs, in full precision; null where nothing was counted.</summary>
internal static class ReportJson
{
    public static void Write(Stream stream, IReadOnlyList<BenchmarkReport> reports, string model)
    {
        ArgumentNullException.ThrowIfNull(reports);
        using Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("model", model);
        writer.WriteStartArray("data_sets");
        foreach (BenchmarkReport report in reports)
            Write(writer, report);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, BenchmarkReport report)
    {
        writer.WriteStartObject();
        writer.WriteString("name", report.Benchmark.Name);
        writer.WriteString("protocol", Prompts.ProtocolNames.Of(report.Protocol));
        writer.WriteNumber("samples", report.Counts.Samples);
        writer.WriteNumber("answered", report.Counts.Answered);
        writer.WriteNumber("failed", report.Counts.Failed);
        writer.WriteNumber("left_out", report.Counts.LeftOut);
        writer.WriteNumber("not_judged", report.Counts.Unjudged);
        writer.WriteStartArray("figures");
        foreach (Headline figure in report.Headlines)
        {
            writer.WriteStartObject();
            writer.WriteString("name", figure.Metric);
            WriteNumber(writer, "value", figure.Value);
            WriteNumber(writer, "published", figure.Published ?? double.NaN);
            writer.WriteString("note", figure.Note);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartObject("table");
        foreach (Scoring.ScoreRow row in report.Table.Rows)
        {
            writer.WriteStartObject(row.Name);
            foreach ((string column, double value) in row.Values)
                WriteNumber(writer, column, value);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteStartArray("problems");
        foreach (string problem in report.Problems)
            writer.WriteStringValue(problem);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, double value)
    {
        if (double.IsFinite(value))
            writer.WriteNumber(name, value);
        else
            writer.WriteNull(name);
    }
}

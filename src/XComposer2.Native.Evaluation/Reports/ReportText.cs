using System.Globalization;
using System.Text;
using XComposer2.Native.Evaluation.Scoring;

namespace XComposer2.Native.Evaluation.Reports;

/// <summary>Reports as Markdown: the figures beside the published ones first, then the whole tables.</summary>
internal static class ReportText
{
    /// <summary>The document of a run.</summary>
    public static string Document(IReadOnlyList<BenchmarkReport> reports, string model)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"# Evaluation of {model}\n\n").Append(Summary(reports));
        foreach (BenchmarkReport report in reports)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {report.Benchmark.Title}\n\n{CountsOf(report)}\n\n").Append(Table(report.Table));
            if (report.Problems.Count > 0)
                text.Append("\nWithout an answer:\n\n").AppendJoin('\n', report.Problems.Select(problem => $"* {Escape(problem)}")).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>One line for each figure.</summary>
    public static string Summary(IReadOnlyList<BenchmarkReport> reports)
    {
        ArgumentNullException.ThrowIfNull(reports);
        List<string[]> rows = [["data set", "figure", "here", "published", "answers"]];
        foreach (BenchmarkReport report in reports)
            rows.AddRange(report.Headlines.Select((figure, i) => new[]
            {
                i == 0 ? report.Benchmark.Name : "",
                figure.Metric,
                Number(figure.Value),
                figure.Published is { } published ? Number(published) + (figure.Note is { } note ? $" ({note})" : "") : "",
                i == 0 ? Answers(report.Counts) : "",
            }));
        return Markdown(rows);
    }

    /// <summary>A table of scores; one with many columns and few rows is turned.</summary>
    public static string Table(ScoreTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (table.Rows.Count == 0)
            return "";
        string[] columns = [.. table.Rows.SelectMany(row => row.Values.Select(value => value.Key)).Distinct()];
        List<string[]> rows;
        if (columns.Length > table.Rows.Count && columns.Length > 6)
        {
            rows = [["", .. table.Rows.Select(row => row.Name.Length == 0 ? "score" : row.Name)]];
            rows.AddRange(columns.Select(column => (string[])[column, .. table.Rows.Select(row => Number(row[column]))]));
        }
        else
        {
            rows = [["", .. columns]];
            rows.AddRange(table.Rows.Select(row => (string[])[row.Name, .. columns.Select(column => Number(row[column]))]));
        }

        return Markdown(rows);
    }

    /// <summary>What became of the samples.</summary>
    public static string CountsOf(BenchmarkReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        SampleCounts counts = report.Counts;
        List<string> parts = [$"{counts.Answered} of {counts.Samples} samples answered"];
        if (counts.Failed > 0)
            parts.Add($"{counts.Failed} without an answer");
        if (counts.LeftOut > 0)
            parts.Add($"{counts.LeftOut} rows without a picture left out, as officially");
        if (counts.Unjudged > 0)
            parts.Add($"{counts.Unjudged} answers wait for a judge");
        return $"Protocol {Prompts.ProtocolNames.Of(report.Protocol)}. {string.Join(", ", parts)}.{(report.Note is { } note ? $" {note}." : "")}";
    }

    private static string Answers(SampleCounts counts) => counts.Failed == 0 && counts.Unjudged == 0 ? $"{counts.Answered}"
        : $"{counts.Answered}{(counts.Failed > 0 ? $", {counts.Failed} failed" : "")}{(counts.Unjudged > 0 ? $", {counts.Unjudged} not judged" : "")}";

    private static string Number(double value) => double.IsNaN(value) ? "-" : value == Math.Floor(value) && Math.Abs(value) < 1e6 ? value.ToString("0", CultureInfo.InvariantCulture)
        : value.ToString(Math.Abs(value) < 1 ? "0.0000" : "0.00", CultureInfo.InvariantCulture);

    private static string Markdown(List<string[]> rows)
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => Escape(row[column]).Length))];
        StringBuilder text = new();
        for (int i = 0; i < rows.Count; i++)
        {
            text.Append("| ").AppendJoin(" | ", rows[i].Select((cell, column) => Escape(cell).PadRight(widths[column]))).Append(" |\n");
            if (i == 0)
                text.Append('|').AppendJoin('|', widths.Select(width => new string('-', width + 2))).Append("|\n");
        }

        return text.ToString();
    }

    private static string Escape(string cell) => cell.Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' ').Replace('\r', ' ');
}

using System.Globalization;
using System.Net;
using System.Text;
using XComposer2.Native.Evaluation.DataSets;

namespace XComposer2.Native.Evaluation.Comparison;

/// <summary>An HTML page of the samples that changed: one file, with its pictures, without scripts and without the network.</summary>
internal static class ComparisonPage
{
    private const string Style = """
        :root { color-scheme: light dark; --line: #8884; --right: #1a7f37; --wrong: #b42318; }
        body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1100px; padding: 16px; }
        h1 { font-size: 1.4em; } table { border-collapse: collapse; margin: 12px 0; }
        td, th { border: 1px solid var(--line); padding: 4px 10px; text-align: left; vertical-align: top; }
        td.n { text-align: right; font-variant-numeric: tabular-nums; }
        article { border: 1px solid var(--line); border-radius: 8px; display: grid; gap: 16px; grid-template-columns: 240px 1fr; margin: 12px 0; padding: 12px; }
        article img { background: #8882; max-height: 260px; max-width: 240px; object-fit: contain; }
        .text { overflow-wrap: anywhere; white-space: pre-wrap; } .index { color: #777; font-size: .85em; }
        .right { border-left: 4px solid var(--right); } .wrong { border-left: 4px solid var(--wrong); }
        .mark { font-weight: 600; white-space: nowrap; } dl { margin: 6px 0; }
        @media (max-width: 640px) { article { grid-template-columns: 1fr; } }
        """;

    private static readonly string[] factColumns = ["split", "l2-category", "category"];

    /// <param name="writer">Gets the page.</param>
    /// <param name="names">The names of both files.</param>
    /// <param name="comparison">What to show.</param>
    /// <param name="dataSet">The questions and pictures; null where they are not at hand.</param>
    /// <param name="limit">Samples to show.</param>
    public static void Write(TextWriter writer, (string First, string Second) names, PredictionComparison comparison, DataSet? dataSet, int limit)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(comparison);
        string title = $"{dataSet?.Benchmark.Title ?? "Answers"}: {names.First} and {names.Second}";
        writer.Write($"""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <title>{Escape(title)}</title><style>{Style}</style></head><body>
            <h1>{Escape(title)}</h1>

            """);
        WriteSummary(writer, names, comparison);
        ChangedSample[] shown = [.. comparison.Changed.Take(limit)];
        if (shown.Length < comparison.Changed.Count)
            writer.Write($"<p>The first {shown.Length} of {comparison.Changed.Count} changed samples:</p>\n");
        else if (shown.Length == 0)
            writer.Write("<p>All answers agree.</p>\n");
        if (dataSet is null)
        {
            foreach (ChangedSample sample in shown)
                WriteSample(writer, names, sample, null, null, "");
        }
        else
        {
            WriteWithPictures(writer, names, dataSet, shown);
        }

        writer.Write("</body></html>\n");
    }

    private static void WriteWithPictures(TextWriter writer, (string First, string Second) names, DataSet dataSet, ChangedSample[] shown)
    {
        Dictionary<string, string> pages = new(StringComparer.Ordinal);
        Dictionary<string, ChangedSample> changed = shown.ToDictionary(sample => sample.Index, StringComparer.Ordinal);
        // In the order of the data set, which is read once; pages are put in the order of the comparison.
        foreach (SampleWithPicture each in PictureReader.Read(dataSet, [.. dataSet.Samples.Where(sample => changed.ContainsKey(sample.Index)).DistinctBy(sample => sample.Index)]))
        {
            using StringWriter page = new(CultureInfo.InvariantCulture);
            WriteSample(page, names, changed[each.Sample.Index], dataSet, each.Sample, PictureOf(each));
            pages[each.Sample.Index] = page.ToString();
        }

        foreach (ChangedSample sample in shown)
            writer.Write(pages.GetValueOrDefault(sample.Index, ""));
    }

    private static void WriteSummary(TextWriter writer, (string First, string Second) names, PredictionComparison comparison)
    {
        writer.Write("<table>\n");
        foreach ((string label, string value) in ComparisonText.Facts(names, comparison))
            writer.Write($"<tr><th>{Escape(label)}</th><td class=\"n\">{Escape(value)}</td></tr>\n");
        writer.Write("</table>\n");
    }

    private static void WriteSample(TextWriter writer, (string First, string Second) names, ChangedSample changed, DataSet? dataSet, DataSetSample? sample, string picture)
    {
        writer.Write("<article><div>");
        if (picture.Length > 0)
            writer.Write($"<img alt=\"Picture of sample {Escape(changed.Index)}\" src=\"{picture}\">");
        writer.Write($"<p class=\"index\">index {Escape(changed.Index)}{Facts(dataSet, sample)}</p></div><div>\n");
        if (dataSet is not null && sample is not null)
        {
            writer.Write($"<p class=\"text\">{Escape(dataSet.Table[sample.TableRow, "question"])}</p>\n");
            WriteOptions(writer, dataSet, sample);
        }

        writer.Write("<table>\n");
        WriteAnswer(writer, names.First, changed.First, changed.FirstScore);
        WriteAnswer(writer, names.Second, changed.Second, changed.SecondScore);
        writer.Write("</table></div></article>\n");
    }

    private static void WriteOptions(TextWriter writer, DataSet dataSet, DataSetSample sample)
    {
        StringBuilder options = new();
        for (char letter = 'A'; letter <= 'Z'; letter++)
            if (dataSet.Table[sample.TableRow, letter.ToString()] is { Length: > 0 } option)
                options.Append(CultureInfo.InvariantCulture, $"{letter}. {option}\n");
        if (options.Length > 0)
            writer.Write($"<p class=\"text\">{Escape(options.ToString().TrimEnd())}</p>\n");
        if (dataSet.Table[sample.TableRow, "answer"] is { Length: > 0 } right)
            writer.Write($"<p class=\"text\">Right answer: <b>{Escape(right)}</b></p>\n");
    }

    private static void WriteAnswer(TextWriter writer, string name, string answer, double? score)
    {
        string kind = score is null ? "" : score == 1 ? " class=\"right\"" : " class=\"wrong\"";
        string mark = score switch { null => "", 1 => "right", 0 => "wrong", { } part => part.ToString("0.00", CultureInfo.InvariantCulture) };
        writer.Write($"<tr{kind}><th>{Escape(name)}</th><td class=\"text\">{Escape(answer)}</td><td class=\"mark\">{mark}</td></tr>\n");
    }

    private static string Facts(DataSet? dataSet, DataSetSample? sample) => dataSet is null || sample is null ? ""
        : string.Concat(factColumns.Select(column => dataSet.Table[sample.TableRow, column]).Where(value => value.Length > 0).Select(value => $"<br>{Escape(value)}"));

    /// <summary>The picture as it is in the data set; what is no picture by its first bytes is not shown.</summary>
    private static string PictureOf(SampleWithPicture each)
    {
        byte[] bytes;
        try
        {
            bytes = each.Sample.Placement == PicturePlacement.File ? File.ReadAllBytes(each.Sample.Source) : Convert.FromBase64String(each.Base64);
        }
        catch (Exception failure) when (failure is FormatException or IOException or UnauthorizedAccessException)
        {
            return "";
        }

        ReadOnlySpan<byte> start = bytes;
        string? type = start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) ? "png" : start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8]) ? "jpeg"
            : start.StartsWith("GIF8"u8) ? "gif" : start.StartsWith("BM"u8) ? "bmp" : start.Length > 12 && start[8..].StartsWith("WEBP"u8) ? "webp" : null;
        return type is null ? "" : $"data:image/{type};base64,{Convert.ToBase64String(bytes)}";
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}

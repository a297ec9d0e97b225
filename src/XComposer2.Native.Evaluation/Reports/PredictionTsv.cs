using System.Text;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Running;

namespace XComposer2.Native.Evaluation.Reports;

/// <summary>The file of answers that VLMEvalKit's own <c>evaluate()</c> reads (<c>PRED_FORMAT=tsv</c>): the columns of the data set without pictures, and the prediction.</summary>
internal static class PredictionTsv
{
    public const string PredictionColumn = "prediction";

    /// <summary>All cells are quoted, as VLMEvalKit writes them; rows without an answer are left out.</summary>
    public static void Write(Stream stream, DataSet dataSet, IReadOnlyList<AnswerLine> lines)
    {
        ArgumentNullException.ThrowIfNull(dataSet);
        Dictionary<string, string> predictions = new(StringComparer.Ordinal);
        foreach (AnswerLine line in lines)
            if (line.Prediction is not null)
                predictions.TryAdd(line.Index, line.Prediction);
        using StreamWriter writer = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        TextTable table = dataSet.Table;
        Line(writer, [.. table.Header.Where(column => column != PredictionColumn), PredictionColumn]);
        HashSet<string> written = new(StringComparer.Ordinal);
        for (int row = 0; row < table.Count; row++)
            if (predictions.TryGetValue(table[row, "index"], out string? prediction) && written.Add(table[row, "index"]))
                Line(writer, [.. table.Header.Where(column => column != PredictionColumn).Select(column => table[row, column]), prediction]);
    }

    private static void Line(StreamWriter writer, IEnumerable<string> cells) =>
        writer.WriteLine(string.Join('\t', cells.Select(cell => $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")));
}

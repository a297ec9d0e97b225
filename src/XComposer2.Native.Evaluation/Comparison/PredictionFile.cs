using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Reports;
using XComposer2.Native.Evaluation.Running;

namespace XComposer2.Native.Evaluation.Comparison;

/// <summary>Answers to a data set from anywhere: our lines of JSON, or a TSV file with the columns <c>index</c> and <c>prediction</c>, as VLMEvalKit writes it.</summary>
internal sealed record PredictionFile(string Path, IReadOnlyList<AnswerLine> Lines)
{
    /// <exception cref="EvaluationException">The file is missing, unreadable or of another layout.</exception>
    public static PredictionFile Read(string path)
    {
        if (!File.Exists(path))
            throw new EvaluationException($"{path}: no such file");
        if (System.IO.Path.GetExtension(path) is ".jsonl" or ".json")
            return new PredictionFile(path, AnswerLine.ReadAll(path));
        TextTable table = TsvReader.ReadTable(path);
        if (!table.Has("index") || !table.Has(PredictionTsv.PredictionColumn))
            throw new EvaluationException($"{path}: expected lines of JSON (.jsonl), or the columns index and {PredictionTsv.PredictionColumn}, found {string.Join(", ", table.Header)}");
        return new PredictionFile(path, [.. Enumerable.Range(0, table.Count).Select(row =>
            new AnswerLine(table[row, "index"], table[row, PredictionTsv.PredictionColumn], null, null))]);
    }

    /// <summary>The benchmark that the names of files tell, as <c>NAME.answers.jsonl</c> or <c>model_NAME.tsv</c>; null where they tell none.</summary>
    public Benchmark? GuessBenchmark()
    {
        string name = System.IO.Path.GetFileName(Path);
        return BenchmarkCatalog.All.Where(each => name.Contains(each.Name, StringComparison.OrdinalIgnoreCase)).MaxBy(each => each.Name.Length);
    }
}

using System.Text;
using XComposer2.Native.Batch;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Judging;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Running;

namespace XComposer2.Native.Evaluation.Reports;

/// <summary>The files of a run, all in one folder.</summary>
/// <param name="path">The folder.</param>
internal sealed class EvaluationFolder(string path)
{
    private const string ReportName = "results";

    public string Path => path;

    public string AnswersOf(Benchmark benchmark) => File(benchmark, ".answers.jsonl");

    public string VerdictsOf(Benchmark benchmark) => File(benchmark, ".verdicts.jsonl");

    public string RequestsOf(Benchmark benchmark) => File(benchmark, ".judge.jsonl");

    public string TableOf(Benchmark benchmark) => System.IO.Path.Combine(path, $"xc2_{benchmark.Name}.tsv");

    public string Report(string extension) => System.IO.Path.Combine(path, ReportName + extension);

    /// <summary>Makes the folder.</summary>
    /// <exception cref="EvaluationException">It cannot be made.</exception>
    public void Create()
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EvaluationException($"{path}: {failure.Message}", failure);
        }
    }

    /// <summary>The description of the model that answered.</summary>
    public string ModelOf(Benchmark benchmark) => Setting(benchmark, "model") ?? "unknown model";

    /// <summary>The protocol of the answers; null where it is not known.</summary>
    public Protocol? ProtocolOf(Benchmark benchmark) => ProtocolNames.Find(Setting(benchmark, "protocol"));

    /// <summary>The verdicts so far.</summary>
    /// <param name="benchmark">The data set.</param>
    /// <param name="file">A file from elsewhere, which counts before those of the folder; null for none.</param>
    /// <exception cref="EvaluationException">A file is unreadable.</exception>
    public Dictionary<string, string> ReadVerdicts(Benchmark benchmark, string? file)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        Dictionary<string, string> verdicts = benchmark.IsJudged && System.IO.File.Exists(VerdictsOf(benchmark)) ? VerdictFile.Read(VerdictsOf(benchmark), benchmark) : [];
        if (benchmark.IsJudged && file is not null)
            foreach ((string index, string verdict) in VerdictFile.Read(file, benchmark))
                verdicts[index] = verdict;
        return verdicts;
    }

    /// <summary>What a judge has to be asked.</summary>
    public static List<JudgeRequest> Requests(DataSet dataSet, IReadOnlyList<AnswerLine> lines)
    {
        ArgumentNullException.ThrowIfNull(dataSet);
        Dictionary<string, string> answers = new(StringComparer.Ordinal);
        foreach (AnswerLine line in lines)
            if (line.Prediction is not null)
                answers.TryAdd(line.Index, line.Prediction);
        return JudgeRequest.For(dataSet.Benchmark, new AnswerSheet(dataSet.Table, answers, AnswerFile.Tsv));
    }

    /// <summary>Writes what a judge has to be asked.</summary>
    /// <exception cref="BatchException">The file cannot be written.</exception>
    public void WriteRequests(Benchmark benchmark, IReadOnlyList<JudgeRequest> requests, string judge) => WholeFile.Write(RequestsOf(benchmark), stream =>
    {
        foreach (JudgeRequest request in requests)
            stream.Write(request.ToLine(benchmark, judge));
    });

    /// <summary>Writes the reports of a run, and for each data set the table that VLMEvalKit reads.</summary>
    /// <exception cref="BatchException">A file cannot be written.</exception>
    public void Save(IReadOnlyList<BenchmarkReport> reports, string model)
    {
        WholeFile.Write(Report(".md"), stream => stream.Write(Encoding.UTF8.GetBytes(ReportText.Document(reports, model))));
        WholeFile.Write(Report(".json"), stream => ReportJson.Write(stream, reports, model));
    }

    /// <summary>Writes the table that VLMEvalKit reads.</summary>
    /// <exception cref="BatchException">The file cannot be written.</exception>
    public void SaveTable(DataSet dataSet, IReadOnlyList<AnswerLine> lines) => WholeFile.Write(TableOf(dataSet.Benchmark), stream => PredictionTsv.Write(stream, dataSet, lines));

    private string? Setting(Benchmark benchmark, string name)
    {
        string settings = AnswersOf(benchmark) + RunSettings.Extension;
        if (!System.IO.File.Exists(settings))
            return null;
        using FileStream stream = System.IO.File.OpenRead(settings);
        foreach ((string entry, string value) in RunSettings.Load(settings, stream).Entries)
            if (entry == name)
                return value;
        return null;
    }

    private string File(Benchmark benchmark, string extension) => System.IO.Path.Combine(path, benchmark.Name + extension);
}

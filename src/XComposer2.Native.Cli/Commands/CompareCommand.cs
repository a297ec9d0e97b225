using System.CommandLine;
using System.Text;
using XComposer2.Native.Batch;
using XComposer2.Native.Evaluation.Comparison;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Judging;
using XComposer2.Native.Evaluation.Prompts;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 compare</c>.</summary>
internal static class CompareCommand
{
    public const string HelpPage = """
        Usage: xc2 compare A B [options]

        Compares two files of answers to one data set: bf16 with int4, ours with those
        of another program. A and B are DATASET.answers.jsonl of xc2 eval, or TSV
        files with the columns index and prediction, as VLMEvalKit writes them.

          --data DIR               the folder with the published files: for scores and
                                   pictures
          --dataset NAME           the data set (else the names of the files tell)
          --protocol vlmevalkit|original
                                   the rules of scoring (vlmevalkit)
          --judge-a FILE, --judge-b FILE
                                   verdicts about the answers of judged data sets
          --html FILE              a page of the samples that changed, with their
                                   pictures, in one file
          --samples N              samples on the page (200)
          --seed N                 of the bootstrap (1)

        Scores are those of single answers, of MMBench those of CircularEval. The
        interval is a paired bootstrap with 10000 resamples.

        Examples
          xc2 compare bf16/POPE.answers.jsonl int4/POPE.answers.jsonl
          xc2 compare a/MME.answers.jsonl b/MME.tsv --data ~/LMUData --html mme.html
        """;

    private const int ShownSamples = 200;

    public static Command Create(CliServices services)
    {
        Argument<string> first = new("A"), second = new("B");
        Option<string?> data = new("--data"), name = new("--dataset"), html = new("--html"), judgeFirst = new("--judge-a"), judgeSecond = new("--judge-b");
        Option<Protocol?> protocol = CheckedOption.Choice("--protocol", ("vlmevalkit", Protocol.VlmEvalKit), ("original", Protocol.Original));
        Option<int?> samples = CheckedOption.Integer("--samples", 1), seed = CheckedOption.Integer("--seed", 0);
        DocumentedCommand command = new("compare", HelpPage) { first, second, data, name, protocol, judgeFirst, judgeSecond, html, samples, seed };
        command.SetAction(result =>
        {
            PredictionFile a = PredictionFile.Read(result.GetValue(first)!), b = PredictionFile.Read(result.GetValue(second)!);
            DataSet? dataSet = result.GetValue(data) is { } folder ? DataSetReader.Read(BenchmarkOf(result.GetValue(name), a, b), folder) : null;
            PredictionComparison comparison = PredictionComparison.Of(
                a, b, dataSet, result.GetValue(protocol) ?? Protocol.VlmEvalKit, (Verdicts(result.GetValue(judgeFirst), dataSet), Verdicts(result.GetValue(judgeSecond), dataSet)), result.GetValue(seed) ?? 1);
            (string, string) names = Names(a.Path, b.Path);
            services.Console.Out.WriteLine(ComparisonText.Lines(names, comparison));
            if (result.GetValue(html) is { } page)
            {
                WholeFile.Write(page, stream =>
                {
                    using StreamWriter writer = new(stream, new UTF8Encoding(false), leaveOpen: true);
                    ComparisonPage.Write(writer, names, comparison, dataSet, result.GetValue(samples) ?? ShownSamples);
                });
                services.Console.Hint($"{comparison.Changed.Count} changed samples: {page}");
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Benchmark BenchmarkOf(string? name, PredictionFile a, PredictionFile b)
    {
        if (name is not null)
            return BenchmarkCatalog.Find(name);
        Benchmark? first = a.GuessBenchmark(), second = b.GuessBenchmark();
        return first is null || (second is not null && second != first)
            ? throw new UsageException("--dataset is missing: the names of the files tell no data set, or two") : first;
    }

    private static Dictionary<string, string> Verdicts(string? file, DataSet? dataSet) => file is null || dataSet is null ? [] : VerdictFile.Read(file, dataSet.Benchmark);

    /// <summary>The shortest ends of both paths that differ.</summary>
    private static (string First, string Second) Names(string first, string second)
    {
        string[] a = Path.GetFullPath(first).Split(Path.DirectorySeparatorChar), b = Path.GetFullPath(second).Split(Path.DirectorySeparatorChar);
        int depth = 1;
        while (depth < Math.Min(a.Length, b.Length) && a[^depth] == b[^depth])
            depth++;
        return (string.Join('/', a[^depth..]), string.Join('/', b[^depth..]));
    }
}

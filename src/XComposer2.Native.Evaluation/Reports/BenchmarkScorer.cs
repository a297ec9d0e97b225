using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Judging;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Running;
using XComposer2.Native.Evaluation.Scoring;

namespace XComposer2.Native.Evaluation.Reports;

/// <summary>From answers to scores, by the rules of a protocol. Pure: no model, no file.</summary>
internal static class BenchmarkScorer
{
    private static readonly string[] hallusionFigures = ["aAcc", "fAcc", "qAcc"];

    /// <param name="dataSet">The questions.</param>
    /// <param name="lines">The answers.</param>
    /// <param name="protocol">Whose rules.</param>
    /// <param name="verdicts">What a judge said, by index.</param>
    /// <exception cref="EvaluationException">An answer belongs to no sample.</exception>
    public static BenchmarkReport Score(DataSet dataSet, IReadOnlyList<AnswerLine> lines, Protocol protocol, IReadOnlyDictionary<string, string> verdicts)
    {
        HashSet<string> known = [.. dataSet.Samples.Select(sample => sample.Index)];
        Dictionary<string, string> answers = new(StringComparer.Ordinal);
        foreach (AnswerLine line in lines)
        {
            if (!known.Contains(line.Index))
                throw new EvaluationException($"{dataSet.Path}: an answer has the index '{line.Index}', which is not in this data set");
            if (line.PredictionFor(dataSet.Benchmark, protocol) is { } prediction)
                answers.TryAdd(line.Index, prediction);
        }

        AnswerSheet sheet = new(dataSet.Table, answers, AnswerFile.Tsv);
        Scores scores = Scored(dataSet.Benchmark, sheet, protocol, verdicts);
        int failed = lines.Count(line => line.Prediction is null);
        return new BenchmarkReport(
            dataSet.Benchmark, protocol, new SampleCounts(lines.Count, sheet.Count, failed, dataSet.LeftOut, scores.Unjudged),
            [.. scores.Figures.Select(figure => WithPublished(dataSet.Benchmark, figure))], scores.Table, scores.Answers)
        {
            Units = scores.Units,
            Note = scores.Note,
            Problems = [.. lines.Where(line => line.Error is not null).Select(line => line.Error!)],
        };
    }

    private static Headline WithPublished(Benchmark benchmark, KeyValuePair<string, double> figure)
    {
        PublishedFigure? published = benchmark.Published.FirstOrDefault(each => each.Metric == figure.Key);
        return new Headline(figure.Key, figure.Value, published?.Value, published?.Note);
    }

    private static Scores Scored(Benchmark benchmark, AnswerSheet sheet, Protocol protocol, IReadOnlyDictionary<string, string> verdicts)
    {
        bool original = protocol == Protocol.Original;
        if (benchmark.Kind is BenchmarkKind.MultipleChoice or BenchmarkKind.Circular && !Enumerable.Range(0, sheet.Count).Any(row => sheet.OfDataSet(row, "answer") is not null))
            return new Scores(new ScoreTable([]), [], [new("accuracy", double.NaN)]) { Note = "The data set has no right answers: the benchmark's own service scores them" };
        switch (benchmark.Kind)
        {
            case BenchmarkKind.MultipleChoice:
            {
                List<ScoredAnswer> answers = original ? OriginalScoring.Letters(sheet, benchmark.Name.StartsWith("AI2D", StringComparison.Ordinal) ? 'Z' : 'D') : MultipleChoice.Score(sheet, mmmu: false);
                return new Scores(MultipleChoice.Table(sheet, answers), answers, [new("accuracy", Percent(answers))]);
            }

            case BenchmarkKind.Circular:
            {
                // The original writes letters into a file for the benchmark's own service, whose rule is the same.
                AnswerSheet letters = original ? sheet.With(row => ModelText.FirstLetter(sheet.RawPredictions[row], 'D', "E")) : sheet;
                List<ScoredAnswer> groups = MultipleChoice.ScoreCircular(letters), single = MultipleChoice.Score(letters, mmmu: false);
                ScoreTable table = new([.. MultipleChoice.Table(letters, groups, "circular_").Rows, .. MultipleChoice.Table(letters, single, "vanilla_all_").Rows]);
                return new Scores(table, single, [new("accuracy", Percent(groups)), new("accuracy of single questions", Percent(single))]) { Units = groups };
            }

            case BenchmarkKind.Mmmu:
            {
                List<ScoredAnswer> answers = original ? OriginalScoring.Mmmu(sheet) : MultipleChoice.Score(sheet, mmmu: true);
                ScoreTable table = original ? OriginalScoring.MmmuTable(sheet, answers) : MultipleChoice.Table(sheet, answers);
                return new Scores(table, answers, [new("accuracy, validation", (original ? table["Overall"]["acc"] : table["validation"]["Overall"]) * 100)]);
            }

            case BenchmarkKind.Mme:
            {
                List<ScoredAnswer> answers = original ? OriginalScoring.Mme(sheet) : YesNo.Score(sheet);
                ScoreTable table = original ? OriginalScoring.MmeTable(sheet, answers) : YesNoTables.Mme(sheet, answers);
                return new Scores(table, answers, [new("perception", table[""][original ? "Perception" : "perception"]), new("reasoning", table[""][original ? "Cognition" : "reasoning"])]);
            }

            case BenchmarkKind.Pope:
                return Pope(sheet, original);
            case BenchmarkKind.Hallusion:
            {
                List<ScoredAnswer> answers = original ? OriginalScoring.Hallusion(sheet) : YesNo.Score(sheet);
                ScoreTable table = original ? OriginalScoring.HallusionTable(sheet, answers) : YesNoTables.Hallusion(sheet, answers);
                ScoreRow row = table[original ? "" : "Overall"];
                return new Scores(table, answers, [.. hallusionFigures.Select(metric => new KeyValuePair<string, double>(metric, original ? row[metric] * 100 : row[metric]))]);
            }

            case BenchmarkKind.Chart:
            {
                List<ScoredAnswer> answers = original ? OriginalScoring.Chart(sheet) : ChartAnswers.Score(sheet);
                ScoreTable table = original ? OriginalScoring.ChartTable(sheet, answers) : ChartAnswers.Table(sheet, answers);
                ScoreRow row = table[""];
                double human = original ? row["human"] * 100 : row["test_human"], augmented = original ? row["augmented"] * 100 : row["test_augmented"];
                return new Scores(table, answers, [new("relaxed accuracy, mean", (human + augmented) / 2), new("human", human), new("augmented", augmented)]);
            }

            case BenchmarkKind.MathVista:
            {
                List<MathResult> results = MathVista.Score(sheet, row => verdicts.GetValueOrDefault(sheet.Index(row)), AnswerFile.Tsv);
                ScoreTable table = MathVista.Table(sheet, results);
                List<ScoredAnswer> answers = [.. results.Select((result, row) => new ScoredAnswer(result.Index, sheet.Predictions[row], result.Result, result.Hit ? 1 : 0))];
                int waiting = results.Count(result => !result.Prefetch.Succeeds && !verdicts.ContainsKey(result.Index));
                return new Scores(table, answers, [new("accuracy", table["Overall"]["acc"])]) { Unjudged = waiting };
            }

            default:
                return Judged(benchmark, sheet, verdicts);
        }
    }

    private static Scores Pope(AnswerSheet sheet, bool original)
    {
        List<ScoredAnswer> answers = original ? OriginalScoring.Pope(sheet) : YesNo.Score(sheet);
        ScoreTable table = original ? OriginalScoring.PopeTable(sheet, answers) : YesNoTables.Pope(sheet, answers);
        double F1(string split) => original ? table[split]["F1 score"] * 100 : table[split]["Overall"];
        double adversarial = F1("adversarial"), popular = F1("popular"), random = F1("random");
        return new Scores(table, answers, [new("F1, mean of the splits", (adversarial + popular + random) / 3), new("F1, adversarial", adversarial), new("F1, popular", popular), new("F1, random", random)]);
    }

    private static Scores Judged(Benchmark benchmark, AnswerSheet sheet, IReadOnlyDictionary<string, string> verdicts)
    {
        JudgedScores judged = JudgedScoring.Score(benchmark, sheet, verdicts);
        return new Scores(judged.Table, judged.Answers, [new(benchmark.Kind == BenchmarkKind.LlavaBench ? "relative score" : "score", judged.Overall)]) { Unjudged = judged.Unjudged };
    }

    private static double Percent(IReadOnlyList<ScoredAnswer> answers) => Means.Of([.. answers.Select(answer => answer.IsHit)]) * 100;

    private sealed record Scores(ScoreTable Table, IReadOnlyList<ScoredAnswer> Answers, IReadOnlyList<KeyValuePair<string, double>> Figures)
    {
        public int Unjudged { get; init; }

        public IReadOnlyList<ScoredAnswer> Units { get; init; } = Answers;

        public string? Note { get; init; }
    }
}

using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;
using XComposer2.Native.Evaluation.Scoring;

namespace XComposer2.Native.Evaluation.Judging;

/// <summary>Scores that a judge has given.</summary>
/// <param name="Overall">In percent; of CreationBench 1 to 10. NaN without verdicts.</param>
/// <param name="Table">By capability.</param>
/// <param name="Answers">The judged answers.</param>
/// <param name="Unjudged">Answers without a verdict, or with one that holds no score.</param>
internal sealed record JudgedScores(double Overall, ScoreTable Table, IReadOnlyList<ScoredAnswer> Answers, int Unjudged);

/// <summary>From verdicts to scores: MM-Vet, LLaVA-Bench, CreationBench.</summary>
internal static class JudgedScoring
{
    private const double BestScore = 10;

    public static JudgedScores Score(Benchmark benchmark, AnswerSheet sheet, IReadOnlyDictionary<string, string> verdicts)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        List<(int Row, double Ours, double Reference)> judged = [];
        for (int row = 0; row < sheet.Count; row++)
            if (verdicts.TryGetValue(sheet.Index(row), out string? verdict) && Parse(benchmark.Kind, verdict) is { } score)
                judged.Add((row, score.Ours, score.Reference));
        List<ScoreRow> rows = [Row("Overall", judged, benchmark.Kind)];
        foreach (string group in judged.SelectMany(each => Groups(benchmark.Kind, sheet, each.Row)).Distinct())
            rows.Add(Row(group, [.. judged.Where(each => Groups(benchmark.Kind, sheet, each.Row).Contains(group))], benchmark.Kind));
        double scale = benchmark.Kind == BenchmarkKind.MmVet ? 1 : BestScore;
        ScoredAnswer[] answers = [.. judged.Select(each => new ScoredAnswer(sheet.Index(each.Row), sheet.RawPredictions[each.Row], PythonNumber.Repr(each.Ours), each.Ours / scale))];
        return new JudgedScores(rows[0][rows[0].Values[0].Key], new ScoreTable(rows), answers, sheet.Count - judged.Count);
    }

    /// <summary>The numbers at the beginning of a verdict; null where they are missing or out of range.</summary>
    public static (double Ours, double Reference)? Parse(BenchmarkKind kind, string verdict)
    {
        List<string> words = PythonString.Split(PythonString.Strip(verdict).Split('\n')[0].Replace(',', ' '));
        double[] numbers = [.. words.TakeWhile(word => PythonNumber.TryFloat(word, out _)).Select(word => PythonNumber.TryFloat(word, out double value) ? value : 0)];
        return kind switch
        {
            BenchmarkKind.MmVet => numbers is [>= 0 and <= 1] ? (numbers[0], 0) : null,
            BenchmarkKind.LlavaBench => numbers is [> 0 and <= BestScore, >= 0 and <= BestScore] ? (numbers[1], numbers[0]) : null,
            _ => numbers is [>= 0 and <= BestScore] ? (numbers[0], 0) : null,
        };
    }

    private static IEnumerable<string> Groups(BenchmarkKind kind, AnswerSheet sheet, int row) => kind == BenchmarkKind.MmVet
        ? sheet.Raw(row, "category").Split(',').Where(group => group.Length > 0)
        : new[] { sheet.Raw(row, kind == BenchmarkKind.Creation ? "capability" : "category") }.Where(group => group.Length > 0);

    private static ScoreRow Row(string name, List<(int Row, double Ours, double Reference)> judged, BenchmarkKind kind)
    {
        double ours = Means.Of([.. judged.Select(each => each.Ours)]);
        ScoreRowBuilder row = new(name);
        switch (kind)
        {
            case BenchmarkKind.MmVet:
                row.Set("score", ours * 100);
                break;
            case BenchmarkKind.LlavaBench:
                double reference = Means.Of([.. judged.Select(each => each.Reference)]);
                row.Set("relative", ours / reference * 100).Set("ours", ours * BestScore).Set("reference", reference * BestScore);
                break;
            default:
                row.Set("score", ours);
                break;
        }

        return row.Set("judged", judged.Count).Build();
    }
}

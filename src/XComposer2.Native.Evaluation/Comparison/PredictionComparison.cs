using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Python;
using XComposer2.Native.Evaluation.Reports;
using XComposer2.Native.Evaluation.Running;
using XComposer2.Native.Evaluation.Scoring;

namespace XComposer2.Native.Evaluation.Comparison;

/// <summary>A sample with two different answers.</summary>
/// <param name="Index">Its index.</param>
/// <param name="First">The first answer.</param>
/// <param name="Second">The second.</param>
/// <param name="FirstScore">The score of the first; null where it is not known.</param>
/// <param name="SecondScore">The score of the second.</param>
internal sealed record ChangedSample(string Index, string First, string Second, double? FirstScore, double? SecondScore)
{
    /// <summary>Whether the change decides about right and wrong.</summary>
    public bool ChangesScore => FirstScore != SecondScore;
}

/// <summary>Two files of answers to one data set, compared sample by sample.</summary>
internal sealed record PredictionComparison
{
    /// <summary>Samples with an answer in both.</summary>
    public required int Common { get; init; }

    public required int OnlyInFirst { get; init; }

    public required int OnlyInSecond { get; init; }

    /// <summary>Equal answers, without blanks around them.</summary>
    public required int Agreeing { get; init; }

    /// <summary>The others; those that change the score first.</summary>
    public required IReadOnlyList<ChangedSample> Changed { get; init; }

    /// <summary>Mean scores over what both have answered, as fractions; null without a data set.</summary>
    public (double First, double Second)? Means { get; init; }

    /// <summary>The difference of the means; null without a data set.</summary>
    public BootstrapInterval? Interval { get; init; }

    /// <summary>Samples, or groups of rotations, that are scored.</summary>
    public int Units { get; init; }

    /// <summary>Right in the first alone.</summary>
    public int Lost { get; init; }

    /// <summary>Right in the second alone.</summary>
    public int Won { get; init; }

    /// <param name="first">Answers.</param>
    /// <param name="second">Other answers.</param>
    /// <param name="dataSet">The questions, for scores; null where they are not at hand.</param>
    /// <param name="protocol">The rules of scoring.</param>
    /// <param name="verdicts">What judges said about the first and the second; scores of judged data sets need them.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <exception cref="EvaluationException">The files have no sample in common, or one has answers to another data set.</exception>
    public static PredictionComparison Of(
        PredictionFile first, PredictionFile second, DataSet? dataSet, Protocol protocol,
        (IReadOnlyDictionary<string, string> First, IReadOnlyDictionary<string, string> Second) verdicts, int seed)
    {
        Dictionary<string, string> a = Answers(first), b = Answers(second);
        string[] common = [.. a.Keys.Where(b.ContainsKey)];
        if (common.Length == 0)
            throw new EvaluationException($"{first.Path} and {second.Path}: expected answers to the same samples, found no common index");
        BenchmarkReport? scoredFirst = dataSet is null ? null : BenchmarkScorer.Score(dataSet, Only(first, b), protocol, verdicts.First);
        BenchmarkReport? scoredSecond = dataSet is null ? null : BenchmarkScorer.Score(dataSet, Only(second, a), protocol, verdicts.Second);
        Dictionary<string, double> scoresFirst = Scores(scoredFirst?.Answers), scoresSecond = Scores(scoredSecond?.Answers);
        ChangedSample[] changed =
        [
            .. common.Where(index => PythonString.Strip(a[index]) != PythonString.Strip(b[index]))
                .Select(index => new ChangedSample(index, a[index], b[index], Score(scoresFirst, index), Score(scoresSecond, index))),
        ];
        PredictionComparison comparison = new()
        {
            Common = common.Length, OnlyInFirst = a.Count - common.Length, OnlyInSecond = b.Count - common.Length, Agreeing = common.Length - changed.Length,
            Changed = [.. changed.Where(each => each.ChangesScore), .. changed.Where(each => !each.ChangesScore)],
        };
        return scoredFirst is null || scoredSecond is null ? comparison : WithScores(comparison, Scores(scoredFirst.Units), Scores(scoredSecond.Units), seed);
    }

    private static PredictionComparison WithScores(PredictionComparison comparison, Dictionary<string, double> first, Dictionary<string, double> second, int seed)
    {
        string[] units = [.. first.Keys.Where(second.ContainsKey)];
        if (units.Length == 0)
            return comparison;
        double[] a = [.. units.Select(unit => first[unit])], b = [.. units.Select(unit => second[unit])];
        return comparison with
        {
            Units = units.Length,
            Means = (Scoring.Means.Of(a), Scoring.Means.Of(b)),
            Interval = PairedBootstrap.Compare(a, b, seed),
            Lost = units.Count(unit => first[unit] > second[unit]),
            Won = units.Count(unit => first[unit] < second[unit]),
        };
    }

    private static Dictionary<string, string> Answers(PredictionFile file)
    {
        Dictionary<string, string> answers = new(StringComparer.Ordinal);
        foreach (AnswerLine line in file.Lines)
            if (line.Prediction is not null)
                answers.TryAdd(line.Index, line.Prediction);
        return answers;
    }

    /// <summary>Scores are of the samples that both have answered.</summary>
    private static List<AnswerLine> Only(PredictionFile file, Dictionary<string, string> other) => [.. file.Lines.Where(line => line.Prediction is not null && other.ContainsKey(line.Index))];

    private static Dictionary<string, double> Scores(IReadOnlyList<ScoredAnswer>? answers) =>
        answers is null ? [] : answers.DistinctBy(answer => answer.Index).ToDictionary(answer => answer.Index, answer => answer.Score, StringComparer.Ordinal);

    private static double? Score(Dictionary<string, double> scores, string index) => scores.TryGetValue(index, out double score) ? score : null;
}

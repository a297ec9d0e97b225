using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Scoring;

namespace XComposer2.Native.Evaluation.Reports;

/// <summary>One figure of a report.</summary>
/// <param name="Metric">Its name.</param>
/// <param name="Value">Ours; NaN where nothing was counted.</param>
/// <param name="Published">The paper's; null where there is none.</param>
/// <param name="Note">What makes them not comparable; null for nothing.</param>
internal sealed record Headline(string Metric, double Value, double? Published, string? Note);

/// <summary>Samples, and what became of them.</summary>
/// <param name="Samples">Asked, or to be asked.</param>
/// <param name="Answered">With an answer.</param>
/// <param name="Failed">That could not be asked or answered.</param>
/// <param name="LeftOut">Left out by the official code.</param>
/// <param name="Unjudged">Answers that wait for a judge.</param>
internal readonly record struct SampleCounts(int Samples, int Answered, int Failed, int LeftOut, int Unjudged);

/// <summary>The scores of one data set.</summary>
internal sealed record BenchmarkReport(Benchmark Benchmark, Protocol Protocol, SampleCounts Counts, IReadOnlyList<Headline> Headlines, ScoreTable Table, IReadOnlyList<ScoredAnswer> Answers)
{
    /// <summary>What is right or wrong as a whole: the answers, or the groups of rotations of CircularEval.</summary>
    public IReadOnlyList<ScoredAnswer> Units { get; init; } = Answers;

    /// <summary>What a reader has to know; null for nothing.</summary>
    public string? Note { get; init; }

    /// <summary>What could not be asked, by row and column.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}

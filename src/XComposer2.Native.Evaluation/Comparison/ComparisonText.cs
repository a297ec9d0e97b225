using System.Globalization;

namespace XComposer2.Native.Evaluation.Comparison;

/// <summary>The result of a comparison in words and figures.</summary>
internal static class ComparisonText
{
    /// <summary>Labels and values, for a terminal and for the page.</summary>
    public static IReadOnlyList<(string Label, string Value)> Facts((string First, string Second) names, PredictionComparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        List<(string, string)> facts =
        [
            ("answers in both", $"{comparison.Common}"),
            ("agreement", $"{Percent((double)comparison.Agreeing / comparison.Common)} ({comparison.Agreeing} of {comparison.Common})"),
        ];
        if (comparison.OnlyInFirst + comparison.OnlyInSecond > 0)
            facts.Add(("answers in one alone", $"{comparison.OnlyInFirst} and {comparison.OnlyInSecond}"));
        if (comparison.Means is not { } means || comparison.Interval is not { } interval)
            return facts;
        facts.Add(($"score of {names.First}", Percent(means.First)));
        facts.Add(($"score of {names.Second}", Percent(means.Second)));
        facts.Add(("difference", $"{Signed(interval.Difference)} points, 95 % between {Signed(interval.Lower)} and {Signed(interval.Upper)}"));
        facts.Add(("right in one alone", $"{comparison.Lost} and {comparison.Won} of {comparison.Units}"));
        facts.Add(("verdict", interval.ExcludesZero ? "the scores differ" : "no difference beyond chance"));
        return facts;
    }

    /// <summary>Lines for a terminal.</summary>
    public static string Lines((string First, string Second) names, PredictionComparison comparison)
    {
        IReadOnlyList<(string Label, string Value)> facts = Facts(names, comparison);
        int width = facts.Max(fact => fact.Label.Length);
        return string.Join('\n', facts.Select(fact => $"{fact.Label.PadRight(width)}  {fact.Value}"));
    }

    private static string Percent(double fraction) => (fraction * 100).ToString("0.00", CultureInfo.InvariantCulture) + " %";

    private static string Signed(double fraction) => (fraction * 100).ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture);
}

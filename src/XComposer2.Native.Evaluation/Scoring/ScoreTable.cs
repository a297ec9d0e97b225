namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>One row of a table: a split or a category, and its figures in their order. NaN where nothing was counted.</summary>
internal sealed record ScoreRow(string Name, IReadOnlyList<KeyValuePair<string, double>> Values)
{
    public double this[string column] => Values.FirstOrDefault(value => value.Key == column, new(column, double.NaN)).Value;
}

/// <summary>A table of scores.</summary>
internal sealed record ScoreTable(IReadOnlyList<ScoreRow> Rows)
{
    /// <summary>The row of this name, or one without figures.</summary>
    public ScoreRow this[string row] => Rows.FirstOrDefault(each => each.Name == row) ?? new ScoreRow(row, []);
}

/// <summary>One answer after scoring.</summary>
/// <param name="Index">The index of the sample.</param>
/// <param name="Prediction">The answer that the scorer saw.</param>
/// <param name="Extracted">What it took from the answer: a letter, Yes, No, a number.</param>
/// <param name="Score">1 for a hit, 0 for a miss; between them where a judge gives a fraction.</param>
internal readonly record struct ScoredAnswer(string Index, string Prediction, string Extracted, double Score)
{
    public bool IsHit => Score == 1;
}

/// <summary>Collects the figures of one row.</summary>
internal sealed class ScoreRowBuilder(string name)
{
    private readonly List<KeyValuePair<string, double>> values = [];

    /// <summary>Sets a figure; a second one of the same name replaces the first, as in the official tables.</summary>
    public ScoreRowBuilder Set(string column, double value)
    {
        int at = values.FindIndex(each => each.Key == column);
        if (at < 0)
            values.Add(new(column, value));
        else
            values[at] = new(column, value);
        return this;
    }

    public ScoreRow Build() => new(name, values);
}

/// <summary>Means as the official code computes them: sums of hits are exact, then one division.</summary>
internal static class Means
{
    /// <summary>Hits divided by the count; NaN of nothing.</summary>
    public static double Of(IReadOnlyCollection<bool> hits) => hits.Count == 0 ? double.NaN : (double)hits.Count(hit => hit) / hits.Count;

    /// <summary>The sum divided by the count; NaN of nothing.</summary>
    public static double Of(IReadOnlyCollection<double> scores) => scores.Count == 0 ? double.NaN : scores.Sum() / scores.Count;
}

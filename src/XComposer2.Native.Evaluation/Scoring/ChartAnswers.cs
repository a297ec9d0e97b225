using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>ChartQA: answers that are right within five percent, or letter by letter.</summary>
internal static class ChartAnswers
{
    private const double Tolerance = 0.05;

    /// <summary>Whether a text is right; the tolerance is relative to <paramref name="target"/>.</summary>
    public static bool IsRelaxedMatch(string target, string prediction)
    {
        if (Number(prediction) is { } predicted && Number(target) is { } expected && expected != 0)
            return Math.Abs(predicted - expected) / Math.Abs(expected) <= Tolerance;
        return PythonString.Lower(prediction) == PythonString.Lower(target);
    }

    /// <summary>The right answers: the elements where the text is a Python list, else the text itself.</summary>
    public static List<string> RightAnswers(string? answer) => answer is null ? ["nan"] : PythonLiteral.TryList(answer) ?? [answer];

    /// <summary>Each answered row, by VLMEvalKit's rules: the best match with any of the right answers. An empty list, which stops the official program, is a miss.</summary>
    public static List<ScoredAnswer> Score(AnswerSheet sheet)
    {
        List<ScoredAnswer> scored = new(sheet.Count);
        for (int i = 0; i < sheet.Count; i++)
        {
            string prediction = PythonString.Strip(sheet.Predictions[i]);
            bool hit = RightAnswers(sheet[i, "answer"]).Any(right => IsRelaxedMatch(right, prediction));
            scored.Add(new(sheet.Index(i), sheet.Predictions[i], prediction, hit ? 1 : 0));
        }

        return scored;
    }

    /// <summary>Percent of hits by split, and over all rows.</summary>
    public static ScoreTable Table(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        ScoreRowBuilder row = new("");
        string column = sheet.Has("split") ? "split" : "category";
        if (sheet.Has(column))
            foreach (string split in Enumerable.Range(0, sheet.Count).Select(i => sheet[i, column]).OfType<string>().Distinct())
                row.Set(split, Means.Of([.. scored.Where((_, i) => sheet[i, column] == split).Select(answer => answer.IsHit)]) * 100);
        row.Set("Overall", Means.Of([.. scored.Select(answer => answer.IsHit)]) * 100);
        return new ScoreTable([row.Build()]);
    }

    /// <summary>A number; percent signs at the end divide it by a hundred. NaN is a number that matches nothing.</summary>
    private static double? Number(string text)
    {
        bool percent = text.EndsWith('%');
        return PythonNumber.TryFloat(percent ? text.TrimEnd('%') : text, out double value) ? percent ? value / 100.0 : value : null;
    }
}

using System.Globalization;
using System.Numerics;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>Scores questions with options by VLMEvalKit's rules, without a judge (<c>exact_matching</c>).</summary>
internal static class MultipleChoice
{
    /// <summary>Rotations of one question differ by multiples of this.</summary>
    private const int CircularStep = 1_000_000;

    private static readonly Dictionary<string, string> shortNames = new(StringComparer.Ordinal)
    {
        ["coarse_perception"] = "CP",
        ["finegrained_perception (instance-level)"] = "FP-S",
        ["finegrained_perception (cross-instance)"] = "FP-C",
        ["logic_reasoning"] = "LR",
        ["relation_reasoning"] = "RR",
        ["attribute_reasoning"] = "AR",
    };

    /// <summary>The options of an answered row: letters whose cell is not missing.</summary>
    public static List<KeyValuePair<string, string>> Options(AnswerSheet sheet, int answer)
    {
        List<KeyValuePair<string, string>> options = [];
        for (char letter = 'A'; letter <= 'Z'; letter++)
        {
            string name = letter.ToString();
            if (sheet.Has(name) && sheet[answer, name] is { } text)
                options.Add(new(name, text));
        }

        return options;
    }

    /// <summary>Options of MMMU: a question without options has its answer as A, and B "Other Answers".</summary>
    public static List<KeyValuePair<string, string>> OptionsOfMmmu(AnswerSheet sheet, int answer)
    {
        List<KeyValuePair<string, string>> options = Options(sheet, answer);
        if (sheet[answer, "A"] is not null)
            return options;
        options.RemoveAll(option => option.Key is "A" or "B");
        options.Insert(0, new("B", "Other Answers"));
        if (sheet[answer, "answer"] is { } right)
            options.Insert(0, new("A", right));
        return options;
    }

    /// <summary>Each answered row: the letter that its answer means (Z where none was found), and whether that is the right one.</summary>
    public static List<ScoredAnswer> Score(AnswerSheet sheet, bool mmmu)
    {
        List<ScoredAnswer> scored = new(sheet.Count);
        for (int i = 0; i < sheet.Count; i++)
        {
            string option = Prefetch(sheet, i, mmmu, strip: true) ?? OptionInference.NoOption;
            scored.Add(new(sheet.Index(i), sheet.Predictions[i], option, option == Right(sheet, i, mmmu) ? 1 : 0));
        }

        return scored;
    }

    /// <summary>The letter that an answer means by the rules alone, or null.</summary>
    public static string? Prefetch(AnswerSheet sheet, int answer, bool mmmu, bool strip = false) =>
        OptionInference.Infer(strip ? PythonString.Strip(sheet.Predictions[answer]) : sheet.Predictions[answer], mmmu ? OptionsOfMmmu(sheet, answer) : Options(sheet, answer));

    /// <summary>CircularEval: one result for each group whose first rotation was answered. All answered rotations must be right.</summary>
    /// <returns>The index of the first rotation as <see cref="ScoredAnswer.Index"/>, in the order of the indices.</returns>
    /// <exception cref="EvaluationException">An index is not an integer.</exception>
    public static List<ScoredAnswer> ScoreCircular(AnswerSheet sheet)
    {
        Dictionary<BigInteger, (bool HasBase, bool Hit, int First)> groups = [];
        for (int i = 0; i < sheet.Count; i++)
        {
            if (!PythonNumber.TryInteger(sheet.Index(i), out BigInteger index))
                throw new EvaluationException($"CircularEval: expected an integer as index, found '{sheet.Index(i)}'");
            BigInteger group = index % CircularStep;
            bool hit = Prefetch(sheet, i, mmmu: false) is { } option && option == Right(sheet, i, mmmu: false);
            (bool HasBase, bool Hit, int First) found = groups.TryGetValue(group, out var known) ? known : (false, true, i);
            bool isBase = index == group;
            groups[group] = (found.HasBase || isBase, found.Hit && hit, isBase ? i : found.First);
        }

        return [.. groups.Where(group => group.Value.HasBase).OrderBy(group => group.Key)
            .Select(group => new ScoredAnswer(group.Key.ToString(CultureInfo.InvariantCulture), sheet.Predictions[group.Value.First], "", group.Value.Hit ? 1 : 0))];
    }

    /// <summary>The fraction of hits for each split: overall, by l2-category, by category. Equal names in both columns are one figure, of the category.</summary>
    /// <param name="sheet">The answers.</param>
    /// <param name="scored">Their scores.</param>
    /// <param name="prefix">Stands before the name of each split.</param>
    public static ScoreTable Table(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored, string prefix = "")
    {
        Dictionary<string, int> rows = Enumerable.Range(0, sheet.Count).ToDictionary(sheet.Index, row => row, StringComparer.Ordinal);
        string? Cell(ScoredAnswer answer, string column) => sheet[rows[answer.Index], column];
        bool hasSplit = sheet.Has("split");
        string[] splits = hasSplit ? [.. scored.Select(answer => Cell(answer, "split")).OfType<string>().Distinct()] : ["none"];
        List<ScoreRow> table = [];
        foreach (string split in splits)
        {
            ScoredAnswer[] ofSplit = [.. scored.Where(answer => !hasSplit || Cell(answer, "split") == split)];
            ScoreRowBuilder row = new(prefix + split);
            row.Set("Overall", Means.Of([.. ofSplit.Select(answer => answer.IsHit)]));
            foreach (string column in new[] { "l2-category", "category" })
            {
                if (!sheet.Has(column))
                    continue;
                foreach (string ability in scored.Select(answer => Cell(answer, column)).OfType<string>().Distinct().Order(StringComparer.Ordinal))
                    row.Set(shortNames.GetValueOrDefault(ability, ability), Means.Of([.. ofSplit.Where(answer => Cell(answer, column) == ability).Select(answer => answer.IsHit)]));
            }

            table.Add(row.Build());
        }

        return new ScoreTable(table);
    }

    /// <summary>The rows of a circular data set that count as first rotations; the official bound takes the second rotation of question 0 with them.</summary>
    public static bool IsFirstRotation(string index) => PythonNumber.TryInteger(index, out BigInteger value) && value <= CircularStep;

    /// <summary>The right letter, from the data set. MMMU: what is no capital letter is an open answer, whose letter is A.</summary>
    private static string? Right(AnswerSheet sheet, int answer, bool mmmu)
    {
        string? right = sheet.OfDataSet(answer, "answer");
        return mmmu && (right is not { Length: 1 } || right[0] is < 'A' or > 'Z') ? "A" : right;
    }
}

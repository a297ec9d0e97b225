using System.Globalization;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>The scoring of the original repository, which no file of answers lies before: it sees the texts that the model gave.</summary>
internal static class OriginalScoring
{
    private static readonly KeyValuePair<string, string[]>[] mmeKinds =
    [
        new("Perception", ["existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR"]),
        new("Cognition", ["commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning"]),
    ];

    private static readonly KeyValuePair<string, string[]>[] mmmuDomains =
    [
        new("Art and Design", ["Art", "Art_Theory", "Design", "Music"]),
        new("Business", ["Accounting", "Economics", "Finance", "Manage", "Marketing"]),
        new("Science", ["Biology", "Chemistry", "Geography", "Math", "Physics"]),
        new("Health and Medicine", ["Basic_Medical_Science", "Clinical_Medicine", "Diagnostics_and_Laboratory_Medicine", "Pharmacy", "Public_Health"]),
        new("Humanities and Social Science", ["History", "Literature", "Sociology", "Psychology"]),
        new("Tech and Engineering", ["Agriculture", "Architecture_and_Engineering", "Computer_Science", "Electronics", "Energy_and_Power", "Materials", "Mechanical_Engineering"]),
    ];

    /// <summary>Multiple choice: the first letter of the text.</summary>
    /// <param name="sheet">The answers.</param>
    /// <param name="last">The last letter that counts: D for SEED-Bench and MMBench, Z for AI2D.</param>
    public static List<ScoredAnswer> Letters(AnswerSheet sheet, char last) => Each(sheet, (text, row) =>
    {
        string letter = ModelText.FirstLetter(text, last, "E");
        return (letter, letter == sheet.Raw(row, "answer"));
    });

    /// <summary>POPE: only exactly "no" is a no.</summary>
    public static List<ScoredAnswer> Pope(AnswerSheet sheet) =>
        Each(sheet, (text, row) => (text == "no" ? "No" : "Yes", string.Equals(text == "no" ? "no" : "yes", sheet.Raw(row, "answer"), StringComparison.OrdinalIgnoreCase)));

    /// <summary>The figures of POPE for each of its three splits, and the mean of their F1.</summary>
    public static ScoreTable PopeTable(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        List<ScoreRow> rows = [];
        foreach (string split in new[] { "adversarial", "popular", "random" })
        {
            int[] members = [.. Enumerable.Range(0, sheet.Count).Where(row => sheet.Raw(row, "category").Split(',').Contains(split))];
            int Count(bool right, string extracted) => members.Count(row => scored[row].IsHit == right && scored[row].Extracted == extracted);
            int tp = Count(true, "Yes"), fp = Count(false, "Yes"), tn = Count(true, "No"), fn = Count(false, "No");
            double precision = Ratio(tp, tp + fp), recall = Ratio(tp, tp + fn);
            double f1 = precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
            rows.Add(new ScoreRowBuilder(split).Set("Accuracy", Ratio(tp + tn, members.Length)).Set("Precision", precision).Set("Recall", recall).Set("F1 score", f1)
                .Set("Yes ratio", Ratio(tp + fp, members.Length)).Set("TP", tp).Set("FP", fp).Set("TN", tn).Set("FN", fn).Build());
        }

        rows.Add(new ScoreRowBuilder("mean_f1").Set("F1 score", (rows[0]["F1 score"] + rows[1]["F1 score"] + rows[2]["F1 score"]) / 3).Build());
        return new ScoreTable(rows);
    }

    /// <summary>HallusionBench: a text with "yes" anywhere is a yes.</summary>
    public static List<ScoredAnswer> Hallusion(AnswerSheet sheet) => Each(sheet, (text, row) =>
    {
        bool yes = PythonString.Lower(text).Contains("yes", StringComparison.Ordinal);
        return (yes ? "1" : "0", yes == (sheet.Raw(row, "answer") is "Yes" or "yes" or "1"));
    });

    /// <summary>Accuracy of answers, questions and figures, as fractions; categories are kept apart.</summary>
    public static ScoreTable HallusionTable(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        double All(Func<(string Set, string Figure, string Question), string> part) => Means.Of([.. Enumerable.Range(0, sheet.Count)
            .GroupBy(row => $"{sheet.Raw(row, "category")}_{sheet.Raw(row, "l2-category")}_{part(YesNoTables.HallusionParts(sheet.Index(row)))}")
            .Select(rows => rows.All(row => scored[row].IsHit))]);
        return new ScoreTable([new ScoreRowBuilder("").Set("aAcc", Means.Of([.. scored.Select(answer => answer.IsHit)]))
            .Set("qAcc", All(parts => $"{parts.Set}_{parts.Question}")).Set("fAcc", All(parts => $"{parts.Set}_{parts.Figure}")).Build()]);
    }

    /// <summary>ChartQA: the tolerance is relative to the model's number, not to the right one.</summary>
    public static List<ScoredAnswer> Chart(AnswerSheet sheet) => Each(sheet, (text, row) => (text, ChartAnswers.IsRelaxedMatch(text, sheet.Raw(row, "answer"))));

    /// <summary>The fraction of hits of human and augmented questions, and their mean.</summary>
    public static ScoreTable ChartTable(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        double Of(string split) => Means.Of([.. scored.Where((_, row) => sheet.Raw(row, "split") == split).Select(answer => answer.IsHit)]);
        double human = Of("test_human"), augmented = Of("test_augmented");
        return new ScoreTable([new ScoreRowBuilder("").Set("human", human).Set("augmented", augmented).Set("mean", (human + augmented) / 2).Build()]);
    }

    /// <summary>MME by its own tool: the first four characters decide. The text is cut, but not stripped.</summary>
    public static List<ScoredAnswer> Mme(AnswerSheet sheet) => Each(sheet, (text, row) =>
    {
        string lower = PythonString.Lower(text);
        string beginning = lower[..Math.Min(4, lower.Length)];
        string label = lower is "yes" or "no" ? lower : beginning.Contains("yes", StringComparison.Ordinal) ? "yes" : beginning.Contains("no", StringComparison.Ordinal) ? "no" : "other";
        return (label, string.Equals(label, sheet.Raw(row, "answer"), StringComparison.OrdinalIgnoreCase));
    }, ModelText.Cut);

    /// <summary>100 · accuracy + 100 · accuracy of pictures with both questions right, by category, and the sums of MME's two kinds.</summary>
    public static ScoreTable MmeTable(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        ScoreRowBuilder table = new("");
        foreach ((string kind, string[] categories) in mmeKinds)
        {
            ScoreRowBuilder ofKind = new("");
            double sum = 0;
            foreach (string category in categories)
            {
                int[] rows = [.. Enumerable.Range(0, sheet.Count).Where(row => sheet.Raw(row, "category") == category)];
                if (rows.Length == 0)
                    continue;
                bool[] pictures = [.. rows.GroupBy(row => sheet.Raw(row, "image_path")).Select(questions => questions.Count() > 1 && questions.All(row => scored[row].IsHit))];
                double score = Means.Of([.. rows.Select(row => scored[row].IsHit)]) * 100 + Means.Of(pictures) * 100;
                ofKind.Set(category, score);
                sum += score;
            }

            table.Set(kind, sum);
            foreach (KeyValuePair<string, double> value in ofKind.Build().Values)
                table.Set(value.Key, value.Value);
        }

        return new ScoreTable([table.Build()]);
    }

    /// <summary>MMMU: the first letter of a choice, the parsed numbers and phrases of an open answer. Rows of the split "validation" alone.</summary>
    public static List<ScoredAnswer> Mmmu(AnswerSheet sheet)
    {
        List<ScoredAnswer> scored = [];
        for (int row = 0; row < sheet.Count; row++)
        {
            if (sheet.Has("split") && sheet.Raw(row, "split") != "validation")
                continue;
            string text = ModelText.CutAndStrip(sheet.RawPredictions[row]);
            bool open = IsOpen(sheet, row);
            string response = open ? PythonString.Lower(text) : ModelText.FirstLetter(text, 'Z', "E");
            string right = sheet.Raw(row, "answer");
            bool hit = open ? MmmuOpenAnswers.IsRight(right, MmmuOpenAnswers.Parse(response)) : response == right;
            scored.Add(new(sheet.Index(row), sheet.RawPredictions[row], response, hit ? 1 : 0));
        }

        return scored;
    }

    /// <summary>Whether a question of MMMU has no options.</summary>
    public static bool IsOpen(AnswerSheet sheet, int row) => sheet.Raw(row, "A").Length == 0;

    /// <summary>Fraction of hits and number of questions of each subject in its domain, of each domain, and overall.</summary>
    public static ScoreTable MmmuTable(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        Dictionary<string, string> subjects = Enumerable.Range(0, sheet.Count).ToDictionary(sheet.Index, row => sheet.Raw(row, "category"), StringComparer.Ordinal);
        ILookup<string, bool> hits = scored.ToLookup(answer => subjects[answer.Index], answer => answer.IsHit, StringComparer.Ordinal);
        List<ScoreRow> rows = [];
        foreach ((string domain, string[] members) in mmmuDomains)
        {
            string[] present = [.. members.Where(hits.Contains)];
            if (present.Length == 0)
                continue;
            rows.Add(Subject($"Overall-{domain}", [.. present.SelectMany(subject => hits[subject])]));
            rows.AddRange(present.Select(subject => Subject(subject, [.. hits[subject]])));
        }

        rows.AddRange(hits.Where(subject => mmmuDomains.All(domain => !domain.Value.Contains(subject.Key))).Select(subject => Subject(subject.Key, [.. subject])));
        rows.Add(Subject("Overall", [.. scored.Select(answer => answer.IsHit)]));
        return new ScoreTable(rows);
    }

    /// <summary>A fraction with three decimals, as the original prints it.</summary>
    public static string Printed(double value) => value.ToString("F3", CultureInfo.InvariantCulture);

    private static ScoreRow Subject(string name, bool[] hits) => new ScoreRowBuilder(name).Set("num", hits.Length).Set("acc", Means.Of(hits)).Build();

    private static double Ratio(int hits, int count) => count == 0 ? 0 : (double)hits / count;

    private static List<ScoredAnswer> Each(AnswerSheet sheet, Func<string, int, (string Extracted, bool Hit)> score, Func<string, string>? text = null)
    {
        List<ScoredAnswer> scored = new(sheet.Count);
        for (int row = 0; row < sheet.Count; row++)
        {
            (string extracted, bool hit) = score((text ?? ModelText.CutAndStrip)(sheet.RawPredictions[row]), row);
            scored.Add(new(sheet.Index(row), sheet.RawPredictions[row], extracted, hit ? 1 : 0));
        }

        return scored;
    }
}

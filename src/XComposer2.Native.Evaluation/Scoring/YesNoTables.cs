using XComposer2.Native.Evaluation.Frames;

namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>The tables of data sets with yes and no: MME, POPE, HallusionBench, as VLMEvalKit makes them.</summary>
internal static class YesNoTables
{
    private static readonly string[] perception = ["OCR", "artwork", "celebrity", "color", "count", "existence", "landmark", "position", "posters", "scene"];
    private static readonly string[] reasoning = ["code_reasoning", "commonsense_reasoning", "numerical_calculation", "text_translation"];

    /// <summary>
    /// MME: 100 · accuracy + 100 · accuracy of pictures with both questions right, for each category, and their sums. A picture with one answered question
    /// counts in the first alone; a category without answers is left out of the sums.
    /// </summary>
    public static ScoreTable Mme(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        OrderedDictionary<string, OrderedDictionary<string, List<bool>>> categories = [];
        for (int i = 0; i < sheet.Count; i++)
        {
            string category = sheet[i, "category"] ?? "nan", picture = sheet[i, "image_path"] ?? "nan";
            if (!categories.TryGetValue(category, out OrderedDictionary<string, List<bool>>? pictures))
                categories[category] = pictures = [];
            if (!pictures.TryGetValue(picture, out List<bool>? hits))
                pictures[picture] = hits = [];
            hits.Add(scored[i].IsHit);
        }

        Dictionary<string, double> scores = categories.ToDictionary(category => category.Key, category => Category(category.Value.Values), StringComparer.Ordinal);
        ScoreRowBuilder row = new("");
        row.Set("perception", Sum(perception, scores)).Set("reasoning", Sum(reasoning, scores));
        foreach (string category in categories.Keys)
            row.Set(category, scores[category]);
        return new ScoreTable([row.Build()]);
    }

    /// <summary>POPE: F1 (as Overall), accuracy, precision and recall in percent, over all rows and for each category of a row's list.</summary>
    public static ScoreTable Pope(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        List<(string? Category, int Row)> rows = [];
        for (int i = 0; i < sheet.Count; i++)
            rows.AddRange(sheet[i, "category"] is { } list ? list.Split(',').Select(category => ((string?)category, i)) : [(null, i)]);
        List<ScoreRow> table = [Pope("Overall", [.. rows.Select(row => row.Row)], sheet, scored)];
        foreach (string category in rows.Select(row => row.Category).OfType<string>().Distinct())
            table.Add(Pope(category, [.. rows.Where(row => row.Category == category).Select(row => row.Row)], sheet, scored));
        return new ScoreTable(table);
    }

    /// <summary>HallusionBench: accuracy of answers, of figures and of questions in percent; overall, by category, by l2-category.</summary>
    /// <exception cref="EvaluationException">An index names no set, figure and question.</exception>
    public static ScoreTable Hallusion(AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        int[] all = [.. Enumerable.Range(0, sheet.Count)];
        List<ScoreRow> table = [Hallusion("Overall", all, sheet, scored)];
        foreach (string column in new[] { "category", "l2-category" })
            if (sheet.Has(column))
                foreach (string category in all.Select(row => sheet[row, column]).OfType<string>().Distinct())
                    table.Add(Hallusion(category, [.. all.Where(row => sheet[row, column] == category)], sheet, scored));
        return new ScoreTable(table);
    }

    /// <summary>Set, figure and question of an index such as <c>VD_illusion_1_0_0_2</c>; an index of five parts has no number before the set.</summary>
    /// <exception cref="EvaluationException">The index has fewer parts.</exception>
    public static (string Set, string Figure, string Question) HallusionParts(string index)
    {
        string[] parts = index.Split('_');
        return parts.Length switch
        {
            >= 6 => (parts[3], parts[4], parts[5]),
            5 => (parts[2], parts[3], parts[4]),
            _ => throw new EvaluationException($"HallusionBench, row with index '{index}', column index: expected CATEGORY_SUBCATEGORY_N_SET_FIGURE_QUESTION"),
        };
    }

    private static double Category(IEnumerable<List<bool>> pictures)
    {
        double accuracy = Means.Of([.. pictures.SelectMany(hits => hits)]) * 100;
        double both = Means.Of([.. pictures.Where(hits => hits.Count > 1).Select(hits => hits[0] && hits[1])]) * 100;
        return double.IsNaN(both) ? accuracy : accuracy + both;
    }

    private static double Sum(string[] categories, Dictionary<string, double> scores)
    {
        string[] present = [.. categories.Where(scores.ContainsKey)];
        return present.Length == 0 ? double.NaN : present.Aggregate(0.0, (sum, category) => sum + scores[category]);
    }

    private static ScoreRow Pope(string name, int[] rows, AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        int truePositives = rows.Count(row => YesNo.IsSame("Yes", sheet[row, "answer"]) && scored[row].Extracted == "Yes");
        int falsePositives = rows.Count(row => !YesNo.IsSame("Yes", sheet[row, "answer"]) && scored[row].Extracted == "Yes");
        int falseNegatives = rows.Count(row => YesNo.IsSame("Yes", sheet[row, "answer"]) && scored[row].Extracted != "Yes");
        double precision = Ratio(truePositives, truePositives + falsePositives);
        double recall = Ratio(truePositives, truePositives + falseNegatives);
        double f1 = precision + recall != 0 ? 2 * (precision * recall) / (precision + recall) : 0;
        return new ScoreRowBuilder(name).Set("Overall", f1 * 100).Set("acc", Means.Of([.. rows.Select(row => scored[row].IsHit)]) * 100)
            .Set("precision", precision * 100).Set("recall", recall * 100).Build();
    }

    private static double Ratio(int hits, int count) => count == 0 ? 0 : (double)hits / count;

    private static ScoreRow Hallusion(string name, int[] rows, AnswerSheet sheet, IReadOnlyList<ScoredAnswer> scored)
    {
        double All(Func<int, string> group) =>
            Means.Of([.. rows.GroupBy(row => $"{sheet[row, "l2-category"]}_{group(row)}").Select(members => members.All(row => scored[row].IsHit))]) * 100;
        return new ScoreRowBuilder(name).Set("aAcc", Means.Of([.. rows.Select(row => scored[row].IsHit)]) * 100)
            .Set("fAcc", All(row => $"{HallusionParts(sheet.Index(row)).Set}_{HallusionParts(sheet.Index(row)).Figure}"))
            .Set("qAcc", All(row => $"{HallusionParts(sheet.Index(row)).Set}_{HallusionParts(sheet.Index(row)).Question}")).Build();
    }
}

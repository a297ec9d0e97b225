using System.Text.Json;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;
using XComposer2.Native.Evaluation.Scoring;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>Free answers: ChartQA, MathVista and the open questions of MMMU.</summary>
public sealed class FreeAnswerTests
{
    [Fact]
    public void Relaxed_match_agrees_with_every_case_in_both_orders()
    {
        List<string> differences = [];
        foreach (JsonElement each in Cases("relaxed_accuracy"))
        {
            string gold = each.GetProperty("gold").GetString()!, prediction = each.GetProperty("prediction").GetString()!;
            (bool, bool) expected = (each.GetProperty("target_gold").GetBoolean(), each.GetProperty("target_prediction").GetBoolean());
            (bool, bool) found = (ChartAnswers.IsRelaxedMatch(gold, prediction), ChartAnswers.IsRelaxedMatch(prediction, gold));
            if (expected != found)
                differences.Add($"{gold} {prediction}: expected {expected}, found {found}");
        }

        Assert.Empty(differences);
    }

    [Theory]
    [InlineData("main")]
    [InlineData("raw")]
    [InlineData("pandas_1")]
    [InlineData("xlsx")]
    public void ChartQA_is_scored_as_officially(string variant)
    {
        ScoringCase golden = new("ChartQA_TEST");
        AnswerSheet sheet = golden.Sheet(ScoringCase.FileOf(variant));
        List<ScoredAnswer> scored = ChartAnswers.Score(sheet);
        for (int row = 0; row < scored.Count; row++)
        {
            string index = scored[row].Index;
            golden.Compare($"{index} hit", ScoringCase.Hit(golden.Field(variant, index, "hit")), scored[row].IsHit);
            List<string> rights = ChartAnswers.RightAnswers(sheet[row, "answer"]);
            golden.Compare($"{index} match", string.Join(' ', golden.Field(variant, index, "match")!.Value.EnumerateArray().Select(match => ScoringCase.Hit(match))),
                string.Join(' ', rights.Select(right => ChartAnswers.IsRelaxedMatch(right, scored[row].Extracted))));
            if (golden.Field(variant, index, "gt") is { } given || (variant == "main" && golden.Field(variant, index, "gold_list") is { } list && (given = list).ValueKind == JsonValueKind.Array))
                golden.Compare($"{index} right answers", string.Join('|', given.EnumerateArray().Select(right => right.GetString())), string.Join('|', rights));
        }

        golden.CompareTable("table", golden.ExpectedTable(variant, "table"), ChartAnswers.Table(sheet, scored));
        if (variant == "main")
        {
            AnswerSheet cut = sheet.With(row => ModelText.CutAndStrip(sheet.RawPredictions[row]));
            List<ScoredAnswer> scoredCut = ChartAnswers.Score(cut);
            for (int row = 0; row < scoredCut.Count; row++)
                if (golden.Field(variant, scoredCut[row].Index, "after_cut") is { } after)
                {
                    golden.Compare($"{scoredCut[row].Index} cut", after.GetProperty("text").GetString(), cut.RawPredictions[row]);
                    golden.Compare($"{scoredCut[row].Index} hit after the cut", ScoringCase.Hit(after.GetProperty("hit")), scoredCut[row].IsHit);
                }

            golden.CompareTable("table_after_cut", golden.Expected.GetProperty("table_after_cut"), ChartAnswers.Table(cut, scoredCut));
        }

        golden.AssertSame();
    }

    [Fact]
    public void Original_scoring_of_ChartQA_is_the_official_one()
    {
        ScoringCase golden = new("ChartQA_TEST");
        AnswerSheet sheet = golden.Sheet(AnswerFile.None);
        List<ScoredAnswer> scored = OriginalScoring.Chart(sheet);
        foreach (ScoredAnswer answer in scored)
            golden.Compare($"{answer.Index} hit", ScoringCase.Hit(golden.Field("main", answer.Index, "repo_hit")), answer.IsHit);
        golden.CompareTable("repo_table", golden.Expected.GetProperty("repo_table"), OriginalScoring.ChartTable(sheet, scored));
        golden.AssertSame();
    }

    [Fact]
    public void Open_answers_agree_with_every_case()
    {
        List<string> differences = [];
        foreach (JsonElement each in Cases("mmmu_open"))
        {
            string response = each.GetProperty("response").GetString()!, right = each.GetProperty("gold").ToString();
            List<OpenAnswer> parsed = MmmuOpenAnswers.Parse(response);
            string expected = string.Join('|', [.. each.GetProperty("parsed_numbers").EnumerateArray().Select(Number).Order(StringComparer.Ordinal),
                .. each.GetProperty("parsed_texts").EnumerateArray().Select(text => text.GetString()!).Order(StringComparer.Ordinal)]);
            string found = Listed(parsed);
            if (expected != found || each.GetProperty("correct").GetBoolean() != MmmuOpenAnswers.IsRight(Gold(each.GetProperty("gold")), parsed))
                differences.Add($"{right} / {response}: expected {expected} {each.GetProperty("correct")}, found {found}");
        }

        Assert.Empty(differences);
    }

    [Fact]
    public void Original_scoring_of_MMMU_is_the_official_one()
    {
        ScoringCase golden = new("MMMU_DEV_VAL");
        AnswerSheet sheet = golden.Sheet(AnswerFile.None);
        List<ScoredAnswer> scored = OriginalScoring.Mmmu(sheet);
        Assert.Equal(golden.Rows.EnumerateObject().Count(row => row.Value.TryGetProperty("repo_response", out _)), scored.Count);
        foreach (ScoredAnswer answer in scored)
        {
            golden.Compare($"{answer.Index} response", golden.Field("main", answer.Index, "repo_response")?.GetString(), answer.Extracted);
            golden.Compare($"{answer.Index} hit", ScoringCase.Hit(golden.Field("main", answer.Index, "repo_hit")), answer.IsHit);
            if (golden.Field("main", answer.Index, "repo_parsed") is { } parsed)
                golden.Compare($"{answer.Index} parsed", Listed([.. parsed.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Number ? OpenAnswer.Of(value.GetDouble())
                    : value.GetString() == "NaN" ? OpenAnswer.Of(double.NaN) : OpenAnswer.Of(value.GetString()!))]), Listed(MmmuOpenAnswers.Parse(answer.Extracted)));
        }

        ScoreTable table = OriginalScoring.MmmuTable(sheet, scored);
        golden.CompareTable("repo_table", golden.Expected.GetProperty("repo_table"), new ScoreTable([.. table.Rows.Where(row => !row.Name.StartsWith("Overall", StringComparison.Ordinal))]));
        golden.Compare("repo_overall", golden.Expected.GetProperty("repo_overall").GetDouble(), table["Overall"]["acc"]);
        foreach (JsonProperty row in golden.Expected.GetProperty("repo_printed").EnumerateObject())
            golden.Compare($"printed {row.Name}", $"{row.Value.GetProperty("num").GetInt32()} {row.Value.GetProperty("acc").GetDouble():F3}",
                $"{table[row.Name]["num"]} {OriginalScoring.Printed(table[row.Name]["acc"])}");
        golden.AssertSame();
    }

    [Theory]
    [InlineData("main", "judge_none")]
    [InlineData("main", "judge_scripted")]
    [InlineData("raw", "judge_none")]
    [InlineData("pandas_1", "judge_none")]
    [InlineData("pandas_1", "judge_scripted")]
    [InlineData("xlsx", "judge_scripted")]
    public void MathVista_is_scored_as_officially(string variant, string judge)
    {
        ScoringCase golden = new("MathVista_MINI");
        Dictionary<string, string> replies = new ScoringCase("MathVista_MINI", "judge").Answers;
        AnswerSheet sheet = golden.Sheet(ScoringCase.FileOf(variant));
        List<MathResult> results = MathVista.Score(sheet, row => judge == "judge_none" ? null : replies[sheet.Index(row)], ScoringCase.FileOf(variant));
        for (int row = 0; row < results.Count; row++)
        {
            MathResult result = results[row];
            JsonElement expected = golden.Field(variant, result.Index, judge)!.Value;
            golden.Compare($"{result.Index} prefetch", Value(golden.Field(variant, result.Index, "prefetch")), result.Prefetch.Value);
            golden.Compare($"{result.Index} res", Value(expected.GetProperty("res")), result.Result);
            golden.Compare($"{result.Index} hit", ScoringCase.Hit(expected.GetProperty("hit")), result.Hit);
            golden.Compare($"{result.Index} loaded", expected.TryGetProperty("res_loaded", out _), result.LoadedResult is null);
            if (variant == "main" && golden.Field(variant, result.Index, "repo") is { } original)
                golden.Compare($"{result.Index} original", original.TryGetProperty("extraction", out JsonElement text) ? text.GetString() : null, MathVista.OriginalExtraction(sheet, row));
            if (variant == "main")
                golden.Compare($"{result.Index} prefetched", golden.Field(variant, result.Index, "prefetched")!.Value.GetBoolean(), result.Prefetch.Succeeds);
        }

        golden.CompareTable("table", golden.ExpectedTable(variant, $"table_{judge}"), MathVista.Table(sheet, results));
        golden.AssertSame();
    }

    private static JsonElement.ArrayEnumerator Cases(string name) =>
        JsonDocument.Parse(File.ReadAllBytes(TestPaths.Shared($"golden/scoring/{name}.cases.json"))).RootElement.GetProperty("cases").EnumerateArray();

    private static string Gold(JsonElement gold) => gold.ValueKind == JsonValueKind.Array ? PythonLiteral.List(gold.EnumerateArray().Select(each => each.GetString()!)) : gold.GetString()!;

    private static string Number(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()!.ToLowerInvariant().Replace("infinity", "inf", StringComparison.Ordinal) : PythonNumber.Repr(value.GetDouble());

    private static string Listed(IReadOnlyList<OpenAnswer> answers) => string.Join('|', [.. answers.Where(answer => answer.Number is not null).Select(answer => PythonNumber.Repr(answer.Number!.Value))
        .Order(StringComparer.Ordinal), .. answers.Where(answer => answer.Number is null).Select(answer => answer.Text).Order(StringComparer.Ordinal)]);

    /// <summary>A value as Python writes it: JSON has 2 for the integer and 2.0 for the float.</summary>
    private static string? Value(JsonElement? element) => element is not { } value || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number ? (value.GetRawText().AsSpan().IndexOfAny(".eE") >= 0 ? PythonNumber.Repr(value.GetDouble()) : value.GetRawText()) : value.ToString();
}

using System.Text.Json;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Scoring;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>Questions with options: every row and every table of the official code.</summary>
public sealed class MultipleChoiceTests
{
    private static readonly string[] variants = ["main", "raw", "pandas_1", "xlsx"];
    private static readonly string[] names = ["SEEDBench_IMG", "AI2D_TEST", "MMMU_DEV_VAL", "MCQ_EDGE", "MCQ_NUMERIC", "MMBench_DEV_EN"];

    public static TheoryData<string, string> Cases =>
        [.. names.SelectMany(name => variants.Select(variant => (name, variant)))];

    [Fact]
    public void Inference_agrees_with_every_case()
    {
        List<string> differences = [];
        foreach (JsonElement each in JsonDocument.Parse(File.ReadAllBytes(TestPaths.Shared("golden/scoring/can_infer.cases.json"))).RootElement.GetProperty("cases").EnumerateArray())
        {
            string answer = each.GetProperty("answer").GetString()!;
            KeyValuePair<string, string>[] options = [.. each.GetProperty("choices").EnumerateObject().Select(option => new KeyValuePair<string, string>(option.Name, option.Value.ToString()))];
            (string?, string?, string?) expected = (each.GetProperty("option").GetString(), each.GetProperty("text").GetString(), each.GetProperty("result").GetString());
            (string?, string?, string?) found = (OptionInference.InferLetter(answer, options), OptionInference.InferText(answer, options), OptionInference.Infer(answer, options));
            if (expected != found)
                differences.Add($"{answer}: expected {expected}, found {found}");
        }

        Assert.Empty(differences);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rows_and_tables_are_the_official_ones(string name, string variant)
    {
        ScoringCase golden = new(name);
        bool mmmu = name == "MMMU_DEV_VAL";
        AnswerSheet sheet = golden.Sheet(ScoringCase.FileOf(variant));
        List<ScoredAnswer> scored = MultipleChoice.Score(sheet, mmmu);
        Assert.Equal(golden.Rows.EnumerateObject().Count(row => golden.Answers.ContainsKey(row.Name)), scored.Count);
        for (int i = 0; i < scored.Count; i++)
        {
            string index = scored[i].Index;
            golden.Compare($"{index} prefetch", ScoringCase.Text(golden.Field(variant, index, "prefetch")), MultipleChoice.Prefetch(sheet, i, mmmu));
            golden.Compare($"{index} option", ScoringCase.Text(golden.Field(variant, index, "option")), scored[i].Extracted);
            golden.Compare($"{index} hit", ScoringCase.Hit(golden.Field(variant, index, "hit")), scored[i].IsHit);
            string loaded = ScoringCase.Text(golden.Field(variant, index, "loaded", nullIsAbsent: true)) ?? golden.Answers[index];
            if (variant != "raw" && !loaded.EndsWith("characters)", StringComparison.Ordinal))
                golden.Compare($"{index} loaded", variant != "main" && golden.Field(variant, index, "loaded", true) is null ? golden.Answers[index] : loaded, sheet.Predictions[i]);
            if (golden.Field(variant, index, "choices_loaded") is { } choices)
                golden.Compare($"{index} choices", string.Join('|', choices.EnumerateObject().Select(option => $"{option.Name}={option.Value}")),
                    string.Join('|', (mmmu ? MultipleChoice.OptionsOfMmmu(sheet, i) : MultipleChoice.Options(sheet, i)).Select(option => $"{option.Key}={option.Value}")));
        }

        if (name == "MMBench_DEV_EN")
            CompareCircular(golden, variant, sheet, scored, "");
        else
            golden.CompareTable("table", golden.ExpectedTable(variant, "table"), MultipleChoice.Table(sheet, scored));
        golden.AssertSame();
    }

    [Theory]
    [InlineData("SEEDBench_IMG")]
    [InlineData("AI2D_TEST")]
    [InlineData("MMMU_DEV_VAL")]
    [InlineData("MCQ_EDGE")]
    [InlineData("MCQ_NUMERIC")]
    [InlineData("MMBench_DEV_EN")]
    public void Answers_of_the_wrapper_score_as_officially(string name)
    {
        ScoringCase golden = new(name);
        bool mmmu = name == "MMMU_DEV_VAL";
        AnswerSheet raw = golden.Sheet(AnswerFile.Tsv);
        AnswerSheet sheet = raw.With(row => Wrapper(raw.RawPredictions[row], mmmu));
        List<ScoredAnswer> scored = MultipleChoice.Score(sheet, mmmu);
        for (int i = 0; i < scored.Count; i++)
        {
            if (golden.Field("main", scored[i].Index, "wrapper") is not { } wrapper)
                continue;
            golden.Compare($"{scored[i].Index} wrapper", wrapper.GetString(), sheet.RawPredictions[i]);
            golden.Compare($"{scored[i].Index} wrapper_hit", ScoringCase.Hit(golden.Field("main", scored[i].Index, "wrapper_hit")), scored[i].IsHit);
            if (golden.Field("main", scored[i].Index, "wrapper_option") is { } option)
                golden.Compare($"{scored[i].Index} wrapper_option", option.GetString(), scored[i].Extracted);
        }

        if (name == "MMBench_DEV_EN")
            CompareCircular(golden, "main", sheet, scored, "wrapper_");
        else
            golden.CompareTable("wrapper_table", golden.Expected.GetProperty("wrapper_table"), MultipleChoice.Table(sheet, scored));
        golden.AssertSame();
    }

    [Fact]
    public void Letters_of_the_original_repository_are_the_official_ones()
    {
        foreach ((string name, char last) in new[] { ("SEEDBench_IMG", 'D'), ("AI2D_TEST", 'Z') })
        {
            ScoringCase golden = new(name);
            AnswerSheet sheet = golden.Sheet(AnswerFile.None);
            List<ScoredAnswer> scored = OriginalScoring.Letters(sheet, last);
            foreach (ScoredAnswer answer in scored)
                golden.Compare($"{answer.Index} repo_hit", ScoringCase.Hit(golden.Field("main", answer.Index, "repo_hit")), answer.IsHit);
            golden.Compare("accuracy", golden.Expected.GetProperty("repo_table").GetProperty("accuracy").GetDouble(), Means.Of([.. scored.Select(answer => answer.IsHit)]));
            foreach (ScoredAnswer answer in OriginalScoring.Letters(sheet, 'D'))
                golden.Compare($"{answer.Index} repo_letter", ScoringCase.Text(golden.Field("main", answer.Index, "repo_letter")), answer.Extracted);
            golden.AssertSame();
        }
    }

    private static string Wrapper(string text, bool mmmu) => mmmu ? ModelText.CutAndStrip(text) : ModelText.FirstLetter(ModelText.CutAndStrip(text), 'Z', "Z");

    private static void CompareCircular(ScoringCase golden, string variant, AnswerSheet sheet, List<ScoredAnswer> scored, string prefix)
    {
        List<ScoredAnswer> groups = MultipleChoice.ScoreCircular(sheet);
        golden.CompareTable($"{prefix}groups", golden.ExpectedTable(variant, $"{prefix}groups"),
            new ScoreTable([new ScoreRow("", [.. groups.Select(group => new KeyValuePair<string, double>(group.Index, group.Score))])]));
        golden.CompareTable($"{prefix}table", golden.ExpectedTable(variant, $"{prefix}table"), MultipleChoice.Table(sheet, groups, "circular_"));
        ScoreTable first = MultipleChoice.Table(sheet, [.. scored.Where(answer => MultipleChoice.IsFirstRotation(answer.Index))], "vanilla_0_");
        ScoreTable all = MultipleChoice.Table(sheet, scored, "vanilla_all_");
        golden.CompareTable($"{prefix}table_vanilla", golden.ExpectedTable(variant, $"{prefix}table_vanilla"), new ScoreTable([.. first.Rows, .. all.Rows]));
    }
}

using System.Text.Json;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Scoring;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>Yes and no: MME, POPE and HallusionBench, by both sources.</summary>
public sealed class YesNoTests
{
    private static readonly string[] variants = ["main", "raw", "pandas_1", "xlsx"];
    private static readonly string[] names = ["MME", "POPE", "HallusionBench"];
    private static readonly string[] splits = ["adversarial", "popular", "random"];
    private static readonly string[] printed = ["F1 score", "Accuracy", "Precision", "Recall", "Yes ratio"];

    public static TheoryData<string, string> Cases => [.. names.SelectMany(name => variants.Select(variant => (name, variant)))];

    [Fact]
    public void Extraction_agrees_with_every_case()
    {
        List<string> differences = [];
        foreach (JsonElement each in JsonDocument.Parse(File.ReadAllBytes(TestPaths.Shared("golden/scoring/yes_no.cases.json"))).RootElement.GetProperty("cases").EnumerateArray())
        {
            string answer = each.GetProperty("prediction").GetString()!;
            (string?, string?) expected = (each.GetProperty("punctuation_removed").GetString(), each.GetProperty("extracted").GetString());
            (string?, string?) found = (YesNo.RemovePunctuation(Evaluation.Python.PythonString.Lower(answer)), YesNo.Extract(answer));
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
        AnswerSheet sheet = golden.Sheet(ScoringCase.FileOf(variant));
        if (name == "HallusionBench")
            sheet = WithPictures(golden, ScoringCase.FileOf(variant));
        List<ScoredAnswer> scored = YesNo.Score(sheet);
        foreach (ScoredAnswer answer in scored)
        {
            golden.Compare($"{answer.Index} extracted", ScoringCase.Text(golden.Field(variant, answer.Index, "extracted")), answer.Extracted);
            golden.Compare($"{answer.Index} hit", ScoringCase.Hit(golden.Field(variant, answer.Index, "hit")), answer.IsHit);
            string? loaded = ScoringCase.Text(golden.Field(variant, answer.Index, "loaded", nullIsAbsent: true));
            if (variant is "main" or "xlsx")
                golden.Compare($"{answer.Index} loaded", loaded ?? golden.Answers[answer.Index], answer.Prediction);
        }

        golden.CompareTable("table", golden.ExpectedTable(variant, "table"), Table(name, sheet, scored));
        if (variant == "main")
        {
            AnswerSheet cut = sheet.With(row => ModelText.CutAndStrip(sheet.RawPredictions[row]));
            List<ScoredAnswer> scoredCut = YesNo.Score(cut);
            for (int row = 0; row < scoredCut.Count; row++)
                if (golden.Field(variant, scoredCut[row].Index, "after_cut") is { } after)
                {
                    golden.Compare($"{scoredCut[row].Index} cut", after.GetProperty("text").GetString(), cut.RawPredictions[row]);
                    golden.Compare($"{scoredCut[row].Index} extracted after the cut", after.GetProperty("extracted").GetString(), scoredCut[row].Extracted);
                }

            golden.CompareTable("table_after_cut", golden.Expected.GetProperty("table_after_cut"), Table(name, cut, scoredCut));
        }

        golden.AssertSame();
    }

    [Fact]
    public void Original_scoring_of_MME_is_the_official_one()
    {
        ScoringCase golden = new("MME");
        AnswerSheet sheet = golden.Sheet(AnswerFile.None);
        List<ScoredAnswer> scored = OriginalScoring.Mme(sheet);
        foreach (ScoredAnswer answer in scored)
        {
            golden.Compare($"{answer.Index} label", golden.Field("main", answer.Index, "repo_label")?.GetString(), answer.Extracted);
            golden.Compare($"{answer.Index} hit", ScoringCase.Hit(golden.Field("main", answer.Index, "repo_hit")), answer.IsHit);
        }

        golden.CompareTable("repo_table", golden.Expected.GetProperty("repo_table"), OriginalScoring.MmeTable(sheet, scored));
        golden.AssertSame();
    }

    [Fact]
    public void Original_scoring_of_POPE_is_the_official_one()
    {
        ScoringCase golden = new("POPE");
        AnswerSheet sheet = golden.Sheet(AnswerFile.None);
        List<ScoredAnswer> scored = OriginalScoring.Pope(sheet);
        // Rows without a category are in no split and have no result.
        foreach (ScoredAnswer answer in scored)
            if (golden.Field("main", answer.Index, "repo_pred") is { } predicted)
                golden.Compare($"{answer.Index} pred", predicted.GetInt32() == 1 ? "Yes" : "No", answer.Extracted);
        ScoreTable table = OriginalScoring.PopeTable(sheet, scored);
        JsonElement expected = golden.Expected.GetProperty("repo_table");
        foreach (string split in splits)
        {
            JsonElement wanted = expected.GetProperty(split);
            golden.CompareTable(split, wanted, new ScoreTable([new ScoreRow("", table[split].Values)]));
            ScoreRow row = table[split];
            golden.Compare($"{split} printed", wanted.GetProperty("printed_short").GetString(),
                string.Join(", ", printed.Select(column => OriginalScoring.Printed(row[column]))));
        }

        golden.Compare("mean", expected.GetProperty("mean_f1").GetDouble(), table["mean_f1"]["F1 score"]);
        golden.AssertSame();
    }

    [Fact]
    public void Original_scoring_of_HallusionBench_is_the_official_one()
    {
        ScoringCase golden = new("HallusionBench");
        AnswerSheet sheet = WithPictures(golden, AnswerFile.None);
        List<ScoredAnswer> scored = OriginalScoring.Hallusion(sheet);
        foreach (ScoredAnswer answer in scored)
        {
            golden.Compare($"{answer.Index} answer", ScoringCase.Text(golden.Field("main", answer.Index, "repo_answer")), answer.Extracted);
            golden.Compare($"{answer.Index} hit", ScoringCase.Hit(golden.Field("main", answer.Index, "repo_hit")), answer.IsHit);
        }

        golden.CompareTable("repo_table", golden.Expected.GetProperty("repo_table"), OriginalScoring.HallusionTable(sheet, scored));
        golden.AssertSame();
    }

    /// <summary>Rows without a picture are dropped while the data set is loaded.</summary>
    private static AnswerSheet WithPictures(ScoringCase golden, AnswerFile file)
    {
        Dictionary<string, string> answers = new(golden.Answers);
        for (int row = 0; row < golden.Table.Count; row++)
            if (golden.Table[row, "image"].Length == 0)
                answers.Remove(golden.Table[row, "index"]);
        Assert.Equal(golden.Expected.GetProperty("rows_loaded").GetInt32(), answers.Count);
        return new AnswerSheet(golden.Table, answers, file);
    }

    private static ScoreTable Table(string name, AnswerSheet sheet, List<ScoredAnswer> scored) => name switch
    {
        "MME" => YesNoTables.Mme(sheet, scored),
        "POPE" => YesNoTables.Pope(sheet, scored),
        _ => YesNoTables.Hallusion(sheet, scored),
    };
}

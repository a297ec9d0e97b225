using XComposer2.Native.Evaluation;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Reports;
using XComposer2.Native.Evaluation.Running;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>From answers to reports.</summary>
public sealed class ReportTests
{
    public static TheoryData<string> Names => [.. BenchmarkCatalog.All.Select(each => each.Name).Where(name => !name.Contains("TEST_", StringComparison.Ordinal) && name != "Q-Bench1_TEST")];

    [Theory]
    [InlineData("MMBench_DEV_EN", 100.0)]
    [InlineData("SEEDBench_IMG", 100.0)]
    [InlineData("MMMU_DEV_VAL", 100.0)]
    [InlineData("MME", 800.0)]
    [InlineData("POPE", 100.0)]
    [InlineData("HallusionBench", 100.0)]
    [InlineData("MathVista_MINI", 100.0)]
    public void Right_answers_have_the_full_score_in_both_protocols(string name, double full)
    {
        DataSet dataSet = Toy(name);
        foreach (Protocol protocol in (Protocol[])[Protocol.VlmEvalKit, Protocol.Original])
        {
            List<AnswerLine> lines = [.. dataSet.Samples.Select(sample => new AnswerLine(sample.Index, Right(dataSet, sample.TableRow, protocol), null, null))];
            BenchmarkReport report = BenchmarkScorer.Score(dataSet, lines, protocol, new Dictionary<string, string>());
            Assert.Equal(full, report.Headlines[0].Value, 1e-9);
            Assert.Equal((dataSet.Samples.Count, dataSet.Samples.Count, 0), (report.Counts.Samples, report.Counts.Answered, report.Counts.Failed));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Table_for_VLMEvalKit_reads_back_with_every_column_and_odd_answer(string name)
    {
        using DataFolder folder = new();
        DataSet dataSet = Toy(name);
        string[] odd = ["a\tb", "\"quoted\"", "line\r\nend", "", "NA", " x "];
        List<AnswerLine> lines = [.. dataSet.Samples.Select((sample, i) => new AnswerLine(sample.Index, i % 7 == 6 ? null : odd[i % 7], null, i % 7 == 6 ? "failed" : null))];
        using (FileStream stream = File.Create(folder.File("t.tsv")))
            PredictionTsv.Write(stream, dataSet, lines);
        TextTable table = TsvReader.ReadTable(folder.File("t.tsv"));
        Assert.Equal([.. dataSet.Table.Header, "prediction"], table.Header);
        Assert.Equal(lines.Where(line => line.Prediction is not null).Select(line => (line.Index, line.Prediction!)), Enumerable.Range(0, table.Count).Select(row => (table[row, "index"], table[row, "prediction"])));
        Assert.DoesNotContain("image", table.Header);
        int first = dataSet.Samples[0].TableRow;
        Assert.All(dataSet.Table.Header, column => Assert.Equal(dataSet.Table[first, column], table[0, column]));
    }

    [Fact]
    public void Answer_to_an_unknown_sample_is_refused() =>
        Assert.Contains("index 'x'", Assert.Throws<EvaluationException>(() => BenchmarkScorer.Score(Toy("POPE"), [new("x", "Yes", null, null)], Protocol.VlmEvalKit, new Dictionary<string, string>())).Message, StringComparison.Ordinal);

    [Fact]
    public void Data_set_without_right_answers_has_no_score()
    {
        using DataFolder folder = new();
        folder.Table("MMBench_TEST_EN.tsv", ["index", "question", "A", "B", "image"], ["0", "q", "a", "b", DataFolder.Picture]);
        DataSet dataSet = DataSetReader.Read(BenchmarkCatalog.Find("MMBench_TEST_EN"), folder.Path);
        BenchmarkReport report = BenchmarkScorer.Score(dataSet, [new("0", "A", null, null)], Protocol.VlmEvalKit, new Dictionary<string, string>());
        Assert.Equal(double.NaN, report.Headlines[0].Value);
        Assert.Contains("no right answers", ReportText.Document([report], "m"), StringComparison.Ordinal);
    }

    [Fact]
    public void Last_line_that_was_cut_off_is_left_out_and_other_damage_is_named()
    {
        using DataFolder folder = new();
        string whole = "{\"index\":\"0\",\"prediction\":\"A\"}\n{\"index\":\"1\",\"prediction\":\"B\"}";
        Assert.Equal(2, AnswerLine.ReadAll(folder.Write("a.jsonl", whole)).Count);
        Assert.Single(AnswerLine.ReadAll(folder.Write("a.jsonl", whole[..^5])));
        Assert.Contains("line 1: expected JSON", Assert.Throws<EvaluationException>(() => AnswerLine.ReadAll(folder.Write("a.jsonl", "{\n" + whole))).Message, StringComparison.Ordinal);
        Assert.Contains("line 1: expected the field prediction or error", Assert.Throws<EvaluationException>(() => AnswerLine.ReadAll(folder.Write("a.jsonl", "{\"index\":0}\n"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Failed_samples_are_counted_and_listed()
    {
        DataSet dataSet = Toy("POPE");
        BenchmarkReport report = BenchmarkScorer.Score(dataSet, [new("0", "Yes", null, null), new("1", null, null, "row 2, column image: broken | pipe")], Protocol.VlmEvalKit, new Dictionary<string, string>());
        Assert.Equal(new SampleCounts(2, 1, 1, 0, 0), report.Counts);
        string text = ReportText.Document([report], "m");
        Assert.Contains("1 without an answer", text, StringComparison.Ordinal);
        Assert.Contains("* row 2, column image: broken \\| pipe", text, StringComparison.Ordinal);
        Assert.Contains("| 87.73", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Answers_of_one_protocol_are_scored_by_the_other_from_their_texts()
    {
        AnswerLine line = new("0", "T", "The answer is B.[UNUSED_TOKEN_145] C", null);
        Benchmark choice = BenchmarkCatalog.Find("SEEDBench_IMG"), yes = BenchmarkCatalog.Find("MME");
        Assert.Equal(("T", "The answer is B."), (line.PredictionFor(choice, Protocol.VlmEvalKit), line.PredictionFor(choice, Protocol.Original)));
        AnswerLine blank = new("0", "x", " no[UNUSED_TOKEN_145]", null);
        Assert.Equal(("no", " no"), (blank.PredictionFor(yes, Protocol.VlmEvalKit), blank.PredictionFor(yes, Protocol.Original)));
    }

    private static DataSet Toy(string name) => DataSetReader.Read(BenchmarkCatalog.Find(name), UnitTests.TestPaths.Shared("golden/eval-toy"));

    private static string Right(DataSet dataSet, int row, Protocol protocol)
    {
        string answer = dataSet.Table[row, "answer"];
        if (dataSet.Table[row, "answer_option"] is { Length: > 0 } option)
            return option;
        return dataSet.Benchmark.Kind == BenchmarkKind.Pope && protocol == Protocol.Original ? answer.ToLowerInvariant() : answer;
    }
}

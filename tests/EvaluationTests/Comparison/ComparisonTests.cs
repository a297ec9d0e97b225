using System.Globalization;
using XComposer2.Native.Evaluation;
using XComposer2.Native.Evaluation.Comparison;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Prompts;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>Two files of answers to one data set.</summary>
public sealed class ComparisonTests
{
    private static readonly Dictionary<string, string> none = [];

    [Fact]
    public void Interval_is_the_same_for_the_same_seed_and_holds_the_difference()
    {
        double[] first = [.. Enumerable.Range(0, 400).Select(i => i % 4 == 0 ? 1.0 : 0)], second = [.. Enumerable.Range(0, 400).Select(i => i % 3 == 0 ? 1.0 : 0)];
        BootstrapInterval interval = PairedBootstrap.Compare(first, second, 1);
        Assert.Equal(interval, PairedBootstrap.Compare(first, second, 1));
        Assert.NotEqual(interval, PairedBootstrap.Compare(first, second, 2));
        Assert.Equal((134 - 100) / 400.0, interval.Difference, 1e-12);
        Assert.InRange(interval.Difference, interval.Lower, interval.Upper);

        // By the normal approximation the interval is 1.96 deviations of the mean to both sides.
        double deviation = Math.Sqrt(first.Zip(second, (a, b) => Math.Pow(b - a - interval.Difference, 2)).Sum() / 400 / 400);
        Assert.Equal(1.96 * deviation, interval.Upper - interval.Difference, 0.1 * deviation);
        Assert.Equal(1.96 * deviation, interval.Difference - interval.Lower, 0.1 * deviation);
    }

    [Fact]
    public void Equal_scores_have_no_interval_beyond_zero()
    {
        Assert.Equal(new BootstrapInterval(0, 0, 0), PairedBootstrap.Compare([1, 0, 1], [1, 0, 1], 1));
        Assert.True(PairedBootstrap.Compare([0, 0, 0], [1, 1, 1], 1).ExcludesZero);
    }

    [Fact]
    public void Agreement_and_scores_are_of_what_both_have_answered()
    {
        using DataFolder folder = new();
        (DataSet dataSet, PredictionFile first, PredictionFile second) = Chart(folder, "<b>&\"1\"</b>");
        PredictionComparison comparison = PredictionComparison.Of(first, second, dataSet, Protocol.VlmEvalKit, (none, none), 1);
        Assert.Equal((4, 1, 0, 2), (comparison.Common, comparison.OnlyInFirst, comparison.OnlyInSecond, comparison.Agreeing));
        Assert.Equal((0.5, 0.25), comparison.Means);
        Assert.Equal((1, 0, 4), (comparison.Lost, comparison.Won, comparison.Units));
        Assert.Equal(["3", "2"], comparison.Changed.Select(sample => sample.Index));
        Assert.Equal([true, false], comparison.Changed.Select(sample => sample.ChangesScore));
        Assert.Contains("50.00 % (2 of 4)", ComparisonText.Lines(("a", "b"), comparison), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_is_escaped_and_holds_everything()
    {
        using DataFolder folder = new();
        (DataSet dataSet, PredictionFile first, PredictionFile second) = Chart(folder, "<script>alert(1)</script>&\"");
        PredictionComparison comparison = PredictionComparison.Of(first, second, dataSet, Protocol.VlmEvalKit, (none, none), 1);
        using StringWriter page = new(CultureInfo.InvariantCulture);
        ComparisonPage.Write(page, ("<a>", "b"), comparison, dataSet, 10);
        string html = page.ToString();
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;", html, StringComparison.Ordinal);
        Assert.Contains("&lt;a&gt;", html, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", html, StringComparison.Ordinal);
        Assert.Equal(2, html.Split($"data:image/png;base64,{DataFolder.Picture}").Length - 1);
        Assert.DoesNotContain("http:", html, StringComparison.Ordinal);
        Assert.True(html.IndexOf("index 3", StringComparison.Ordinal) < html.IndexOf("index 2", StringComparison.Ordinal), "what changes the score comes first");
    }

    [Fact]
    public void Files_without_a_common_sample_are_refused()
    {
        using DataFolder folder = new();
        PredictionFile a = PredictionFile.Read(folder.Table("a.tsv", ["index", "prediction"], ["0", "x"])), b = PredictionFile.Read(folder.Table("b.tsv", ["index", "prediction"], ["1", "x"]));
        Assert.Contains("no common index", Assert.Throws<EvaluationException>(() => PredictionComparison.Of(a, b, null, Protocol.VlmEvalKit, (none, none), 1)).Message, StringComparison.Ordinal);
        Assert.Contains("expected lines of JSON", Assert.Throws<EvaluationException>(() => PredictionFile.Read(folder.Table("c.tsv", ["index", "text"], ["0", "x"]))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MMBench_DEV_EN.answers.jsonl", "MMBench_DEV_EN")]
    [InlineData("llava_v1.5_POPE.tsv", "POPE")]
    [InlineData("answers.tsv", null)]
    public void Name_of_a_file_tells_its_data_set(string file, string? expected) => Assert.Equal(expected, new PredictionFile(file, []).GuessBenchmark()?.Name);

    private static (DataSet DataSet, PredictionFile First, PredictionFile Second) Chart(DataFolder folder, string wrong)
    {
        string[] columns = ["index", "question", "answer", "image"];
        folder.Table("ChartQA_TEST.tsv", columns, [.. Enumerable.Range(0, 5).Select(i => new[] { $"{i}", "How <many>?", "1", DataFolder.Picture })]);
        DataSet dataSet = DataSetReader.Read(BenchmarkCatalog.Find("ChartQA_TEST"), folder.Path);
        string quoted = $"\"{wrong.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        PredictionFile first = PredictionFile.Read(folder.Table("a.tsv", ["index", "prediction"], ["0", "1"], ["1", "5"], ["2", "7"], ["3", "1"], ["4", "1"]));
        PredictionFile second = PredictionFile.Read(folder.Table("b.tsv", ["index", "prediction"], ["0", "1"], ["1", "5 "], ["2", "8"], ["3", quoted]));
        return (dataSet, first, second);
    }
}

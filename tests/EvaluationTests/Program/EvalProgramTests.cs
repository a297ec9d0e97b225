using System.Text.Json;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary><c>xc2 eval</c> and <c>xc2 compare</c> as programs, with the demo checkpoint and the toy data sets.</summary>
public sealed class EvalProgramTests
{
    private static readonly string[] all =
    [
        "MMBench_DEV_EN", "MMBench_DEV_CN", "SEEDBench_IMG", "AI2D_TEST", "MMMU_DEV_VAL", "MME", "POPE", "HallusionBench", "ChartQA_TEST", "MathVista_MINI", "Q-Bench1_VAL", "MMVet", "LLaVABench",
        "CreationBench",
    ];

    private static readonly string[] killed = ["MME", "POPE", "ChartQA_TEST", "MathVista_MINI"];

    [Theory]
    [InlineData("vlmevalkit")]
    [InlineData("original")]
    public async Task Every_data_set_runs_from_questions_to_tables(string protocol)
    {
        using DataFolder folder = new();
        (int status, string output, string error) = await EvalProgram.RunAsync(["eval", .. all, .. Options(folder.File("out")), "--protocol", protocol]);
        Assert.True(status == 0, error);
        using JsonDocument results = JsonDocument.Parse(File.ReadAllBytes(folder.File("out/results.json")));
        JsonElement[] sets = [.. results.RootElement.GetProperty("data_sets").EnumerateArray()];
        Assert.Equal(all, sets.Select(set => set.GetProperty("name").GetString()));
        Assert.All(sets, set => Assert.Equal((set.GetProperty("samples").GetInt32(), 0), (set.GetProperty("answered").GetInt32(), set.GetProperty("failed").GetInt32())));
        Assert.Equal(256, sets.Sum(set => set.GetProperty("answered").GetInt32()));
        Assert.Equal(2, sets.Sum(set => set.GetProperty("left_out").GetInt32()));
        Assert.All(all, name => Assert.Contains(name, output, StringComparison.Ordinal));
        Assert.Contains("1712", output, StringComparison.Ordinal);
        Assert.All(all, name => Assert.True(File.Exists(folder.File($"out/xc2_{name}.tsv")), name));
        Assert.All(all[^3..], name => Assert.Equal(File.ReadLines(folder.File($"out/{name}.answers.jsonl")).Count(), File.ReadLines(folder.File($"out/{name}.judge.jsonl")).Count()));

        // The same scores again, without the model.
        string before = File.ReadAllText(folder.File("out/results.json"));
        (status, _, error) = await EvalProgram.RunAsync(["eval", .. all, "--data", Toy, "--out", folder.File("out"), "--score-only"]);
        Assert.True(status == 0, error);
        Assert.Equal(before, File.ReadAllText(folder.File("out/results.json")));
    }

    [Fact]
    public async Task Run_killed_at_twenty_random_moments_and_resumed_ends_with_the_file_of_an_unbroken_run()
    {
        using DataFolder folder = new();
        (int status, _, string error) = await EvalProgram.RunAsync(["eval", .. killed, .. Options(folder.File("whole"))]);
        Assert.True(status == 0, error);
        Random random = new(14);
        int kills = 0, runs = 0;
        for (int attempt = 0; kills < 20; attempt++)
        {
            Assert.True(attempt < 60, $"only {kills} of {attempt} runs could be killed");
            string output = folder.File($"broken-{runs}");
            if (await EvalProgram.KillAfterAsync(TimeSpan.FromMilliseconds(random.Next(200, 1400)), ["eval", .. killed, .. Options(output), "--resume"]))
                kills++;
            else
                AssertSame(folder.File("whole"), folder.File($"broken-{runs++}"));
        }

        (status, _, error) = await EvalProgram.RunAsync(["eval", .. killed, .. Options(folder.File($"broken-{runs}")), "--resume"]);
        Assert.True(status == 0, error);
        AssertSame(folder.File("whole"), folder.File($"broken-{runs}"));
    }

    [Fact]
    public async Task Limit_is_lifted_by_a_resumed_run_and_other_settings_are_refused()
    {
        using DataFolder folder = new();
        string[] begin = ["eval", "HallusionBench", .. Options(folder.File("out")), "--limit", "5"];
        Assert.Equal(0, (await EvalProgram.RunAsync(begin)).Status);
        string first = File.ReadAllText(folder.File("out/HallusionBench.answers.jsonl"));
        Assert.Equal(5, first.Count(c => c == '\n'));
        (int status, _, string error) = await EvalProgram.RunAsync(begin);
        Assert.Equal(2, status);
        Assert.Contains("exists already; --resume continues it", error, StringComparison.Ordinal);
        (status, _, error) = await EvalProgram.RunAsync([.. begin, "--resume", "--protocol", "original"]);
        Assert.Equal(1, status);
        Assert.Contains("protocol was 'vlmevalkit', is 'original'", error, StringComparison.Ordinal);
        Assert.Equal(0, (await EvalProgram.RunAsync(["eval", "HallusionBench", .. Options(folder.File("out")), "--resume"])).Status);
        string second = File.ReadAllText(folder.File("out/HallusionBench.answers.jsonl"));
        Assert.StartsWith(first, second, StringComparison.Ordinal);
        Assert.Equal(16, second.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Rows_that_cannot_be_asked_are_counted_and_named()
    {
        using DataFolder folder = new();
        folder.Table("ChartQA_TEST.tsv", ["index", "question", "answer", "split", "image"],
            ["0", "How many?", "1", "test_human", DataFolder.Picture], ["1", "How many?", "1", "test_human", ""], ["2", "How many?", "1", "test_human", Convert.ToBase64String(new byte[90])]);
        (int status, string output, string error) = await EvalProgram.RunAsync("eval", "ChartQA_TEST", "--data", folder.Path, "--out", folder.File("out"), "--device", "cpu", "--beams", "1");
        Assert.Equal(1, status);
        Assert.Contains("1, 2 failed", output, StringComparison.Ordinal);
        Assert.Contains("row 2 (index 1), column image: expected a picture, found nothing", error, StringComparison.Ordinal);
        Assert.Contains("2 samples have no answer", error, StringComparison.Ordinal);
        string report = File.ReadAllText(folder.File("out/results.md"));
        Assert.Contains("row 2 (index 1), column image", report, StringComparison.Ordinal);
        Assert.Contains("row 3 (index 2), column image", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_of_two_runs_are_compared_on_a_page_with_pictures()
    {
        using DataFolder folder = new();
        Assert.Equal(0, (await EvalProgram.RunAsync(["eval", "MME", .. Options(folder.File("a")), "--beams", "1"])).Status);
        Assert.Equal(0, (await EvalProgram.RunAsync(["eval", "MME", .. Options(folder.File("b")), "--beams", "1", "--protocol", "original"])).Status);
        (int status, string output, string error) = await EvalProgram.RunAsync(
            "compare", folder.File("a/MME.answers.jsonl"), folder.File("b/xc2_MME.tsv"), "--data", Toy, "--html", folder.File("page.html"), "--samples", "3");
        Assert.True(status == 0, error);
        Assert.Contains("answers in both", output, StringComparison.Ordinal);
        Assert.Contains("95 % between", output, StringComparison.Ordinal);
        string page = File.ReadAllText(folder.File("page.html"));
        Assert.Equal(3, page.Split("<article>").Length - 1);
        Assert.Equal(3, page.Split("src=\"data:image/png;base64,").Length - 1);
    }

    private static string Toy => UnitTests.TestPaths.Shared("golden/eval-toy");

    private static string[] Options(string output) => ["--data", Toy, "--out", output, "--device", "cpu", "--threads", "2"];

    private static void AssertSame(string whole, string broken)
    {
        foreach (string name in killed)
            foreach (string file in (string[])[$"{name}.answers.jsonl", $"{name}.answers.jsonl.run.json", $"xc2_{name}.tsv"])
                Assert.True(File.ReadAllBytes(Path.Combine(whole, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(broken, file))), file);
        Assert.Equal(File.ReadAllText(Path.Combine(whole, "results.json")), File.ReadAllText(Path.Combine(broken, "results.json")));
    }
}

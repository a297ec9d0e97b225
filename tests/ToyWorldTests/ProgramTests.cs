using XComposer2.Demo.Program;
using XComposer2.Demo.Training;
using XComposer2.Native.Model;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Demo.ToyWorldTests;

/// <summary>The program's verbs and its refusals.</summary>
public sealed class ProgramTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("toy-world-");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("expected a verb, found 'draw'", "draw")]
    [InlineData("expected --kind, found nothing", "show")]
    [InlineData("unknown option --size", "show", "--kind", "vision", "--size", "3")]
    [InlineData("--count: expected a number, found 'many'", "show", "--kind", "vision", "--count", "many")]
    [InlineData("--model: expected a value, found none", "evaluate", "--model")]
    [InlineData("--kinds: 'sight' is not known", "evaluate", "--model", ".", "--kinds", "vision,sight")]
    [InlineData("expected --cases or --pictures, found neither", "answers", "--model", ".")]
    [InlineData("kind 'sight' is not known", "show", "--kind", "sight")]
    [InlineData("--stage: 'sight' is not known; there are copy, language, pretrain, sft", "stage", "--from", ".", "--out", ".", "--stage", "sight")]
    [InlineData("--kinds: expected KIND=WEIGHT, found 'vision'", "stage", "--from", ".", "--out", ".", "--stage", "sft", "--kinds", "vision")]
    [InlineData("--kinds: 'sight' is not known", "stage", "--from", ".", "--out", ".", "--stage", "sft", "--kinds", "sight=2")]
    [InlineData("--steps, --samples: expected numbers above 0, found 0", "stage", "--from", ".", "--out", ".", "--stage", "sft", "--steps", "0")]
    public async Task Unusable_arguments_are_named(string message, params string[] arguments)
    {
        (int status, string output, string error) = await RunAsync(arguments);
        Assert.Equal((1, ""), (status, output));
        Assert.StartsWith(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kinds_samples_and_pictures_are_shown_and_written()
    {
        (int status, string output, _) = await RunAsync("kinds");
        Assert.True(status == 0 && output.Contains("vision (group)\n", StringComparison.Ordinal) && output.Contains("choose-select-told-4-alike-near\n", StringComparison.Ordinal));
        (status, output, _) = await RunAsync("show", "--kind", "eval-mmbench", "--count", "1");
        Assert.Contains("--> The answer is| ", output, StringComparison.Ordinal);
        string sheet = Path.Combine(folder.FullName, "sheet.png");
        (status, _, _) = await RunAsync("sheet", "--kind", "vision-json", "--count", "9", "--out", sheet);
        RgbImage drawn = ImageDecoder.DecodeFile(sheet, ImageLimits.Default, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((0, 8 + (8 * 176), 8 + (2 * 176)), (status, drawn.Width, drawn.Height));
        (status, output, _) = await RunAsync("samples", "--kind", "eval", "--count", "30", "--out", folder.FullName);
        Assert.Contains("with a system turn are left out", output, StringComparison.Ordinal);
        Assert.True(status == 0 && File.Exists(Path.Combine(folder.FullName, "samples.json")));
    }

    [Fact]
    public async Task One_stage_is_trained_alone_with_other_kinds_and_steps()
    {
        string from = Path.Combine(folder.FullName, "from"), to = Path.Combine(folder.FullName, "to");
        FreshModel.Write(from, TestPaths.Repository("tools/demo/checkpoint"), 1, 3);
        (int status, string output, string error) = await RunAsync(
            "stage", "--from", from, "--out", to, "--stage", "copy", "--kinds", "copy-cycle=2,copy-list=1", "--steps", "2", "--samples", "3", "--rate", "0.002", "--threads", "1");
        Assert.True(status == 0, error);
        Assert.Contains("copy step 2 of 2: loss ", output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(to, "copy", "result", "model.safetensors")));
    }

    [Fact]
    public async Task Checkpoint_is_evaluated()
    {
        (int status, string output, string error) = await RunAsync("evaluate", "--model", TestPaths.Repository("tools/demo/checkpoint"), "--kinds", "vision-count,choose-select-2", "--count", "8", "--threads", "1", "--misses", "1", "--without-plora");
        Assert.True(status == 0, error);
        Assert.Contains("| vision-count | ", output, StringComparison.Ordinal);
        Assert.Contains(" | 50 % |", output, StringComparison.Ordinal);
        Assert.Contains("16 questions, without Partial LoRA", output, StringComparison.Ordinal);
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        int status = await ToyWorldProgram.RunAsync(arguments, output, error);
        return (status, output.ToString(), error.ToString());
    }
}

using XComposer2.Demo.Program;
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

using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary><c>xc2 quantize</c>, and commands on what it writes.</summary>
public sealed class QuantizeCommandTests : IDisposable
{
    private static readonly string demo = TestPaths.Repository("tools/demo/checkpoint");

    private static readonly DeviceOptions processor = new() { Kind = DeviceKind.Cpu, Threads = 2 };

    private readonly string root = Directory.CreateTempSubdirectory("xc2-quantize-").FullName;

    private string Output => Path.Combine(root, "out");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task A_written_demo_is_compared_and_answers_as_one_that_is_quantised_while_loading()
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("quantize", "--model", demo, "--weights", "int4", "--out", Output, "--threads", "2", "--json"));
        JsonElement report = JsonDocument.Parse(xc2.Output).RootElement;
        Assert.Equal("decoder's linears as int4 by 128, head as int8, vision as int8", report.GetProperty("quantization").GetString());
        JsonElement[] layers = [.. report.GetProperty("layers").EnumerateArray()], prompts = [.. report.GetProperty("prompts").EnumerateArray()];
        Assert.Equal(["layer 1", "layer 2", "layer 3", "vision", "head"], layers.Select(layer => layer.GetProperty("part").GetString()));
        Assert.All(layers[..3], layer => Assert.InRange(layer.GetProperty("mean").GetDouble(), 0.02, 0.12));
        Assert.All(layers[3..], layer => Assert.InRange(layer.GetProperty("largest").GetDouble(), 1e-3, 1.2e-2));
        Assert.Contains(prompts, prompt => prompt.GetProperty("picture").GetBoolean());
        Assert.All(prompts, prompt => Assert.InRange(prompt.GetProperty("mean_cosine").GetDouble(), 0.95, 1));
        Assert.InRange(prompts.Sum(prompt => prompt.GetProperty("agreed").GetInt32()) / (double)prompts.Sum(prompt => prompt.GetProperty("tokens").GetInt32()), 0.8, 1);

        WeightQuantization same = WeightQuantization.Int4;
        IReadOnlyList<int> written = await AnswerAsync(new EngineOptions { ModelPath = Output, Device = processor });
        Assert.Equal(await AnswerAsync(new EngineOptions { ModelPath = demo, Device = processor, Quantization = same }), written);
        Assert.True(written.Count > 3);
        EngineException error = await Assert.ThrowsAsync<EngineException>(() => AnswerAsync(new EngineOptions { ModelPath = Output, Device = processor, Quantization = same }));
        Assert.Contains("which is stored as int", error.Message, StringComparison.Ordinal);

        static async Task<IReadOnlyList<int>> AnswerAsync(EngineOptions options)
        {
            await using XComposerEngine engine = await XComposerEngine.LoadAsync(options, TestContext.Current.CancellationToken);
            using ChatSession session = engine.CreateSession();
            GenerationResult result = await session.AskAsync(
                new UserMessage("Describe this image.", [ImageInput.FromFile(TestPaths.Repository("tools/demo/pictures/shapes-3.png"))]), new GenerationOptions { Greedy = true, MaxTokens = 100 });
            return result.TokenIds;
        }
    }

    [Fact]
    public async Task The_report_is_readable_and_the_folder_can_be_inspected_and_planned()
    {
        using CliHarness xc2 = new(), inspect = new(), plan = new(), again = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("quantize", "--model", demo, "--weights", "int8", "--out", Output, "--no-verify"));
        Assert.Contains("decoder's linears as int8 (rtn)", xc2.Output, StringComparison.Ordinal);
        Assert.Contains("layer 3", xc2.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, await inspect.RunAsync("inspect", Output, "--check"));
        Assert.Equal(ExitCode.Done, await plan.RunAsync("plan", "--model", Output));
        Assert.Contains("int8", plan.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, await again.RunAsync("quantize", "--model", Output, "--weights", "int4", "--out", Output + "2"));
        Assert.Contains("quantised already", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_and_contradictory_options_are_usage_errors()
    {
        await Refused("--out is missing", "--weights", "int4");
        await Refused("nothing to quantise", "--out", Output);
        await Refused("--group is for --weights int8 or int4", "--out", Output, "--group", "64");
        await Refused("--weights must be stored or int8 or int4, not 'int3'", "--out", Output, "--weights", "int3");
        await Refused("--group must be 32 or 64 or 128, not '100'", "--out", Output, "--weights", "int4", "--group", "100");

        async Task Refused(string message, params string[] options)
        {
            using CliHarness xc2 = new();
            Assert.Equal(ExitCode.Usage, await xc2.RunAsync(["quantize", "--model", demo, .. options]));
            Assert.Contains(message, xc2.Error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(Output));
        }
    }
}

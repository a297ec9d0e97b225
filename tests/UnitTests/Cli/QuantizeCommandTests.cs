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
        Assert.Equal("decoder's linears as int4 by 128, Partial LoRA as int8, head as int8, vision as int8, embeddings as int8", report.GetProperty("quantization").GetString());
        JsonElement[] layers = [.. report.GetProperty("layers").EnumerateArray()], prompts = [.. report.GetProperty("prompts").EnumerateArray()];
        Assert.Equal(["layer 1", "layer 2", "layer 3", "vision", "embeddings", "head"], layers.Select(layer => layer.GetProperty("part").GetString()));
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

    /// <summary>Of every layer's linears the calibrated methods lose less of the results on texts and pictures than rounding does, and the folder answers like the others.</summary>
    [Theory]
    [InlineData("awq", "--group", "128")]
    [InlineData("gptq", "--group", "128")]
    [InlineData("gptq", "--act-order")]
    public async Task Calibrated_methods_report_what_they_lose_and_what_rounding_would(string method, params string[] more)
    {
        string samples = Path.Combine(root, "samples.txt"), picture = Path.Combine(root, "shapes.png");
        File.Copy(TestPaths.Repository("tools/demo/pictures/shapes-3.png"), picture);
        File.WriteAllText(samples, "How many shapes are there?\n@shapes.png Describe this image.\n\nWhat is red and round?\n@shapes.png @shapes.png Compare them.\n");
        using CliHarness xc2 = new();
        Assert.True(ExitCode.Done == await xc2.RunAsync(["quantize", "--model", demo, "--weights", "int4", "--method", method, .. more, "--calibration", samples, "--out", Output, "--threads", "2", "--json"]), xc2.Error);
        JsonElement report = JsonDocument.Parse(xc2.Output).RootElement;
        Assert.StartsWith($"{method}{(more.Contains("--act-order") ? ", act-order" : "")}, calibrated with 4 samples and 3 pictures, ", report.GetProperty("method").GetString(), StringComparison.Ordinal);
        JsonElement[] layers = [.. report.GetProperty("layers").EnumerateArray()], prompts = [.. report.GetProperty("prompts").EnumerateArray()];
        foreach (JsonElement layer in layers[..3])
        {
            (double found, double rounding) = (layer.GetProperty("output").GetDouble(), layer.GetProperty("output_of_rounding").GetDouble());
            TestContext.Current.TestOutputHelper!.WriteLine($"{method} {layer.GetProperty("part")}: {found:f4}, rounding {rounding:f4}");
            Assert.InRange(found, 1e-3, method == "gptq" ? 0.8 * rounding : 0.99 * rounding);
        }

        Assert.Equal(JsonValueKind.Null, layers[3].GetProperty("output").ValueKind);
        Assert.All(prompts, prompt => Assert.InRange(prompt.GetProperty("mean_cosine").GetDouble(), 0.95, 1));
        using CliHarness inspect = new();
        Assert.Equal(ExitCode.Done, await inspect.RunAsync("inspect", Output, "--check"));
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
        // A bit of an integer: no number is out of range, and the file is as long as before.
        string shard = Directory.GetFiles(Output, "model-00001-of-*.safetensors").Single();
        byte[] bytes = File.ReadAllBytes(shard);
        bytes[^1] ^= 1;
        File.WriteAllBytes(shard, bytes);
        using CliHarness changed = new();
        Assert.Equal(ExitCode.Failed, await changed.RunAsync("inspect", Output, "--check"));
        Assert.Contains("checksum", changed.Output, StringComparison.Ordinal);
        bytes[^1] ^= 1;
        File.WriteAllBytes(shard, bytes);
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
        await Refused("--method awq is for --weights int8 or int4", "--out", Output, "--head", "int8", "--method", "awq");
        await Refused("--calibration is for --method awq or gptq", "--out", Output, "--weights", "int4", "--calibration", "x");
        await Refused("--act-order is for --method gptq and weights in groups", "--out", Output, "--weights", "int8", "--method", "gptq", "--act-order");
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

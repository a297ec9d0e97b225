using System.Text.Json;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The whole model with 4-bit weights: quantised while they are loaded, and of a GPTQ file.</summary>
public sealed class Int4EngineTests
{
    private static readonly GenerationOptions greedy = new() { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 400 };

    private static readonly DeviceOptions processor = new() { Kind = DeviceKind.Cpu, Threads = 2 };

    private static readonly string[] checkpoints = ["gqa-head64-fp32", "mqa-head128-bf16", "fp16-torch-bin"];

    private readonly ITestOutputHelper output = TestContext.Current.TestOutputHelper!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Checkpoints => [.. checkpoints];

    /// <summary>The demo has 256 columns where a published model has thousands, and no outliers: most of its answers stay as they are, and those that change, change little.</summary>
    [Theory]
    [InlineData(128, 0.95)]
    [InlineData(32, 0.98)]
    public async Task The_demo_answers_mostly_as_with_stored_weights(int groupSize, double least)
    {
        WeightQuantization quantization = WeightQuantization.Int4 with { Linears = Graph.WeightFormat.Grouped(4, groupSize) };
        using XComposerEngine engine = await XComposerEngine.LoadAsync(
            new EngineOptions { ModelPath = TestPaths.Repository("tools/demo/checkpoint"), Quantization = quantization, Device = processor }, Cancellation);
        Assert.EndsWith($", decoder's linears as int4 by {groupSize}, Partial LoRA as int8, head as int8, vision as int8, embeddings as int8", engine.Info.Model, StringComparison.Ordinal);
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden("demo-cases/cases.json")));
        int same = 0, all = 0;
        foreach (JsonElement wanted in cases.RootElement.EnumerateArray())
        {
            ImageInput[] images = [.. wanted.GetProperty("images").EnumerateArray().Select(name => ImageInput.FromFile(TestPaths.Golden("demo-cases/" + name.GetString())))];
            using ChatSession session = engine.CreateSession();
            GenerationResult result = await session.AskAsync(new UserMessage(wanted.GetProperty("prompt").GetString()!, images), greedy);
            same += result.Text == wanted.GetProperty("expected").GetString() ? 1 : 0;
            all++;
        }

        output.WriteLine($"int4 by {groupSize}: {same} of {all} answers as with stored weights");
        Assert.InRange((double)same / all, least, 1);
    }

    /// <summary>What is not quantised is as exact as without; a wrong scale, nibble or group is off by about 1.</summary>
    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void Golden_checkpoints_pass_and_tell_their_error(string folder)
    {
        VerificationReport report = Verify(folder, WeightQuantization.Int4, ActivationPrecision.Int8);
        Assert.True(report.Passed, string.Join('\n', report.Stages.Where(stage => !stage.Passed)));
        foreach (TensorStage stage in report.Stages.OfType<TensorStage>())
        {
            bool isVision = stage.Name.StartsWith("vision", StringComparison.Ordinal) || stage.Name == "projector" || stage.Name.EndsWith("embeddings", StringComparison.Ordinal);
            bool isQuantised = stage.Name.Contains("logits", StringComparison.Ordinal) || (stage.Name.Contains(": layer", StringComparison.Ordinal) && !isVision);
            Assert.InRange(stage.RelativeL2, isQuantised ? 5e-2 : 0, isQuantised ? 0.35 : isVision ? 3e-2 : 2e-6);
        }
    }

    /// <summary>The integers of the file are its weights: floating activations give the golden results exactly, rounded ones lose what rounding loses.</summary>
    [Theory]
    [InlineData(ActivationPrecision.Float, 0, 2e-6)]
    [InlineData(ActivationPrecision.Int8, 5e-3, 2e-2)]
    public void A_gptq_file_runs_as_its_integers(ActivationPrecision activations, double least, double most)
    {
        foreach (WeightQuantization quantization in new[] { WeightQuantization.None, new WeightQuantization { Linears = Graph.WeightFormat.Grouped(4, 128) } })
        {
            VerificationReport report = Verify("gptq-4bit-128g", quantization, activations);
            Assert.True(report.Passed, string.Join('\n', report.Stages.Where(stage => !stage.Passed)));
            foreach (TensorStage stage in report.Stages.OfType<TensorStage>().Where(stage => stage.Name.Contains("logits", StringComparison.Ordinal)))
                Assert.InRange(stage.RelativeL2, least, most);
        }
    }

    private static VerificationReport Verify(string folder, WeightQuantization quantization, ActivationPrecision activations) => ModelVerifier.Run(
        new VerificationOptions { ModelPath = TestPaths.Shared($"golden/{folder}"), Device = processor with { Activations = activations }, Quantization = quantization }, null, Cancellation);
}

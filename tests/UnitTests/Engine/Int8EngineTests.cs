using System.Text.Json;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The whole model with its decoder's linears quantised while they are loaded.</summary>
public sealed class Int8EngineTests
{
    private static readonly GenerationOptions greedy = new() { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 400 };

    private static readonly DeviceOptions processor = new() { Kind = DeviceKind.Cpu, Threads = 2 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_demo_answers_as_with_stored_weights()
    {
        using XComposerEngine engine = await XComposerEngine.LoadAsync(Options(WeightQuantization.Int8), Cancellation);
        Assert.EndsWith(", decoder's linears as int8", engine.Info.Model, StringComparison.Ordinal);
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden("demo-cases/cases.json")));
        foreach (JsonElement wanted in cases.RootElement.EnumerateArray())
        {
            ImageInput[] images = [.. wanted.GetProperty("images").EnumerateArray().Select(name => ImageInput.FromFile(TestPaths.Golden("demo-cases/" + name.GetString())))];
            using ChatSession session = engine.CreateSession();
            GenerationResult result = await session.AskAsync(new UserMessage(wanted.GetProperty("prompt").GetString()!, images), greedy);
            Assert.Equal(wanted.GetProperty("expected").GetString(), result.Text);
            Assert.Equal(wanted.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()), result.TokenIds);
        }
    }

    /// <summary>What is not quantised is as exact as without; what is has an error, of the size that its derivation says.</summary>
    [Theory]
    [InlineData("gqa-head64-fp32")]
    [InlineData("mqa-head128-bf16")]
    [InlineData("fp16-torch-bin")]
    [InlineData("gptq-4bit-128g")]
    public void Golden_checkpoints_pass_and_tell_their_error(string folder)
    {
        var options = new VerificationOptions { ModelPath = TestPaths.Shared($"golden/{folder}"), Device = processor, Quantization = WeightQuantization.Int8 };
        VerificationReport report = ModelVerifier.Run(options, null, Cancellation);
        Assert.True(report.Passed, string.Join('\n', report.Stages.Where(stage => !stage.Passed)));
        foreach (TensorStage stage in report.Stages.OfType<TensorStage>())
        {
            bool isQuantised = stage.Name.Contains("logits", StringComparison.Ordinal) || stage.Name.Contains(": layer", StringComparison.Ordinal);
            if (isQuantised && !stage.Name.StartsWith("vision", StringComparison.Ordinal))
                Assert.InRange(stage.RelativeL2, 5e-3, 3e-2);
            else
                Assert.InRange(stage.RelativeL2, 0, 2e-6);
        }
    }

    [Fact]
    public async Task A_format_without_a_quantiser_is_refused()
    {
        WeightQuantization floats = WeightQuantization.Int8 with { Head = WeightFormat.BF16 }, shuffled = new() { Linears = WeightFormat.Grouped(4, 128, hasGroupIndex: true) };
        EngineException error = await Assert.ThrowsAsync<EngineException>(() => XComposerEngine.LoadAsync(Options(floats), Cancellation));
        Assert.Equal("quantization of head: expected integers without a group index, found bf16", error.Message);
        error = await Assert.ThrowsAsync<EngineException>(() => XComposerEngine.LoadAsync(Options(shuffled), Cancellation));
        Assert.StartsWith("quantization of linears: expected integers without a group index, found int4 by 128 with group index", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Integers and scales are allocated, and no longer counted among the mapped weights.</summary>
    [Fact]
    public void The_plan_counts_what_is_quantised_once()
    {
        string demo = TestPaths.Repository("tools/demo/checkpoint");
        ModelMemoryPlan stored = ModelMemoryPlan.ForCheckpoint(demo, threads: 2), quantised = ModelMemoryPlan.ForCheckpoint(demo, threads: 2, quantization: WeightQuantization.Int8);
        // 3 layers: 512 x 256 packed, 256 x 256, twice 512 x 256, 256 x 512; stored in 16 bits.
        const long Weights = 3 * 256 * (512 + 256 + (2 * 512) + 512), ScaleBytes = 3 * 4 * (512 + 256 + (2 * 512) + 256);
        Assert.Equal(stored.Weights.Bytes - (2 * Weights), quantised.Weights.Bytes);
        Assert.Equal(stored.Allocated.TotalBytes + Weights + ScaleBytes, quantised.Allocated.TotalBytes);
        Assert.Equal(Weights + ScaleBytes, Assert.Single(quantised.Allocated.Items, item => item.Name.Contains("quantised", StringComparison.Ordinal)).Bytes);
    }

    private static EngineOptions Options(WeightQuantization quantization) =>
        new() { ModelPath = TestPaths.Repository("tools/demo/checkpoint"), Quantization = quantization, Device = processor };
}

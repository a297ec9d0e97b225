using System.Text.Json;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The golden checkpoints with their decoder's linears as int8, by the program itself: the device's quantised model is the processor's, under every
/// schedule and on the oldest generation too.</summary>
public sealed class Int8VerificationTests(GpuDevice device)
{
    [Theory]
    [InlineData("gqa-head64-fp32", "f32", "forward", null)]
    [InlineData("gqa-head64-fp32", "f16", "shuffled", null)]
    [InlineData("gqa-head64-fp32", "f16", "reverse", "75")]
    [InlineData("mqa-head128-bf16", "bf16", "forward", null)]
    [InlineData("mqa-head128-bf16", "bf16", "reverse", "90")]
    [InlineData("mqa-head128-bf16", "bf16", "shuffled", null)]
    [InlineData("mqa-head128-bf16", "f16", "forward", "75")]
    [InlineData("fp16-torch-bin", "f16", "reverse", null)]
    [InlineData("fp16-torch-bin", "f16", "shuffled", "75")]
    [InlineData("gptq-4bit-128g", "f16", "forward", null)]
    [InlineData("gptq-4bit-128g", "f16", "shuffled", null)]
    public void Greedy_ids_are_the_processors_and_the_error_is_told(string folder, string storage, string schedule, string? architecture)
    {
        if (architecture is null)
            device.Require(storage);
        Assert.NotNull(device.Context);
        string model = SharedMaterial.Find($"golden/{folder}");
        var onProcessor = new VerificationOptions { ModelPath = model, Device = new DeviceOptions { Kind = DeviceKind.Cpu, Activations = ActivationPrecision.Float }, Quantization = WeightQuantization.Int8 };
        VerificationReport expected = ModelVerifier.Run(onProcessor, null, TestContext.Current.CancellationToken);
        ProgramRun run = ProgramRun.Start(
            schedule, architecture, "verify", "--model", model, "--device", "cuda", "--storage", storage, "--weights", "int8", "--json");
        Assert.True(run.ExitCode == 0, run.All);

        using JsonDocument json = JsonDocument.Parse(run.Output);
        string ranOn = json.RootElement.GetProperty("device").GetString()!;
        Assert.StartsWith("cuda, ", ranOn, StringComparison.Ordinal);
        if (architecture is not null && ranOn.Contains("Emulated", StringComparison.Ordinal))
            Assert.Contains("sm_" + architecture + " ", ranOn, StringComparison.Ordinal);
        Assert.EndsWith("linears as int8", json.RootElement.GetProperty("model").GetString(), StringComparison.Ordinal);
        foreach ((StageResult wanted, JsonElement found) in expected.Stages.Zip(json.RootElement.GetProperty("stages").EnumerateArray()))
        {
            Assert.Equal(wanted.Name, found.GetProperty("name").GetString());
            if (wanted is IdStage ids)
                Assert.Equal(ids.Found, found.GetProperty("found_ids").EnumerateArray().Select(id => id.GetInt32()));
            if (wanted is TensorStage logits && wanted.Name.Contains("logits", StringComparison.Ordinal))
            {
                // Against 16-bit weights: the quantisation's error, which fp32 storage shows alone and 16-bit storage adds little to.
                double relative = found.GetProperty("relative_l2").GetDouble();
                Assert.InRange(relative, logits.RelativeL2 * (storage == "f32" ? 0.999 : 0.9), logits.RelativeL2 * (storage == "f32" ? 1.001 : 1.25));
            }
        }
    }
}

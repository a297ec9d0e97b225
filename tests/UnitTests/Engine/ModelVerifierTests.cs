using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ModelVerifierTests
{
    [Theory]
    [InlineData("gqa-head64-fp32", 3)]
    [InlineData("mqa-head128-bf16", 3)]
    [InlineData("fp16-torch-bin", 3)]
    [InlineData("gptq-4bit-128g", 2)]
    public void Golden_checkpoints_pass(string folder, int prompts)
    {
        var options = new VerificationOptions { ModelPath = TestPaths.Shared($"golden/{folder}"), Device = new DeviceOptions { Kind = DeviceKind.Cpu } };
        VerificationReport report = ModelVerifier.Run(options, null, TestContext.Current.CancellationToken);
        foreach (StageResult stage in report.Stages)
            Assert.True(stage.Passed, stage.ToString());
        Assert.True(report.Passed);

        // Position table, three vision states, features, projector; per prompt: embeddings, two layers, logits, step logits, ids.
        Assert.Equal(6 + (6 * prompts), report.Stages.Count);
        Assert.Equal(prompts, report.Stages.OfType<IdStage>().Count(stage => stage.Expected.Count == 12));
    }
}

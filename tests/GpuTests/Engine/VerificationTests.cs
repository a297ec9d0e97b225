using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The golden checkpoints, stage by stage, by the program itself. On the emulated device under every schedule: what depends on the order in
/// which threads run fails under one of them.</summary>
public sealed class VerificationTests(GpuDevice device)
{
    [Theory]
    [InlineData("gqa-head64-fp32", "f32", "forward")]
    [InlineData("gqa-head64-fp32", "f32", "shuffled")]
    [InlineData("gqa-head64-fp32", "f16", "reverse")]
    [InlineData("mqa-head128-bf16", "bf16", "forward")]
    [InlineData("mqa-head128-bf16", "bf16", "reverse")]
    [InlineData("mqa-head128-bf16", "bf16", "shuffled")]
    [InlineData("fp16-torch-bin", "f16", "forward")]
    [InlineData("fp16-torch-bin", "f16", "shuffled")]
    [InlineData("gptq-4bit-128g", "f16", "forward")]
    [InlineData("gptq-4bit-128g", "f16", "reverse")]
    public void Golden_checkpoints_pass(string folder, string storage, string schedule)
    {
        string model = SharedMaterial.Find($"golden/{folder}");
        device.Require(storage);
        ProgramRun run = ProgramRun.Start(schedule, null, "verify", "--model", model, "--device", "cuda", "--storage", storage);
        Assert.True(run.ExitCode == 0, run.All);
        Assert.Contains("stages are within", run.All, StringComparison.Ordinal);
        Assert.Contains("cuda, ", run.All, StringComparison.Ordinal);
    }
}

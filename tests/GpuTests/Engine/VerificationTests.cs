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

    /// <summary>By tensor maps and wgmma. With one multiprocessor the smallest prompts have the tiles of large products.</summary>
    [Theory]
    [InlineData("mqa-head128-bf16", "bf16", "shuffled")]
    [InlineData("fp16-torch-bin", "f16", "reverse")]
    public void Golden_checkpoints_pass_on_Hopper(string folder, string storage, string schedule)
    {
        string model = SharedMaterial.Find($"golden/{folder}");
        Assert.NotNull(device.Context);
        Dictionary<string, string?> environment = new()
        {
            ["XC2_EMULATED_SCHEDULE"] = schedule, ["XC2_EMULATED_ARCH"] = "90", ["XC2_EMULATED_MULTIPROCESSORS"] = "1", ["XC2_CACHE"] = DeviceLibraries.KernelCache(),
        };
        ProgramRun run = ProgramRun.Start(environment, "verify", "--model", model, "--device", "cuda", "--storage", storage);
        Assert.True(run.ExitCode == 0, run.All);
        Assert.Contains("stages are within", run.All, StringComparison.Ordinal);
    }
}

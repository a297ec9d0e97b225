using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The golden checkpoints, stage by stage, by the program itself. On the emulated device under every schedule: what depends on the order in
/// which threads run fails under one of them.</summary>
public sealed class VerificationTests(GpuDevice device)
{
    private static readonly TimeSpan limit = TimeSpan.FromMinutes(5);

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
        (int exitCode, string output) = Run(schedule, "verify", "--model", model, "--device", "cuda", "--storage", storage);
        Assert.True(exitCode == 0, output);
        Assert.Contains("stages are within", output, StringComparison.Ordinal);
        Assert.Contains("cuda, ", output, StringComparison.Ordinal);
    }

    private (int ExitCode, string Output) Run(string schedule, params ReadOnlySpan<string> arguments)
    {
        Assert.NotNull(device.Context);
        // Published with its runtime, the program starts by itself; else the runtime that runs this test starts it.
        string program = Path.Combine(AppContext.BaseDirectory, "xc2");
        bool isSelfContained = File.Exists(Path.Combine(AppContext.BaseDirectory, "libcoreclr.so"));
        var start = isSelfContained ? new ProcessStartInfo(program, arguments.ToArray()) : new ProcessStartInfo("dotnet", [program + ".dll", .. arguments]);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        start.Environment["XC2_EMULATED_SCHEDULE"] = schedule;
        start.Environment["XC2_CACHE"] = Path.Combine(Path.GetTempPath(), "xc2-gpu-tests");
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"it took over {limit.TotalMinutes} minutes");
        }

        return (process.ExitCode, output.Result + errors.Result);
    }
}

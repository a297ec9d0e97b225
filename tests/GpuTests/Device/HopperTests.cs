using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>What only sm_90 has, on an emulated device of that generation. Run as a process of its own, because the device is the process's.</summary>
public sealed class HopperTests(GpuDevice device)
{
    private const string Variable = "XC2_EMULATED_ARCH";

    private static readonly TimeSpan limit = TimeSpan.FromMinutes(10);

    private static readonly string[] methods = [$"*{nameof(LinearWgmmaTests)}.*", $"*{nameof(LoraDownTests)}.*"];

    [Fact]
    public void Kernels_of_the_generation_are_right()
    {
        Assert.NotNull(device.Context);
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal) || device.Capability.Number == 90)
            Assert.Skip("a device of this generation runs them itself, and a GPU of another cannot");
        (int exitCode, string output) = Run();
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("Total: 0,", output, StringComparison.Ordinal);
        Assert.Contains("Skipped: 0,", output, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Output) Run()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["-noLogo", "-noColor", .. methods.SelectMany(method => new[] { "-method", method })])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment[Variable] = "90";
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

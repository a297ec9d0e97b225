using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The tests of kernels that use tensor cores, once more on an emulated device whose tensor cores truncate as hardware's do. Run as processes of
/// their own, because the device is the process's.</summary>
public sealed class TruncatedSumTests(GpuDevice device)
{
    private const string Variable = "XC2_EMULATED_SUMS";

    private static readonly TimeSpan limit = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData(typeof(LinearPrefillTests))]
    [InlineData(typeof(LinearRopeTests))]
    [InlineData(typeof(LinearDecodeTests))]
    [InlineData(typeof(LoraDownTests))]
    [InlineData(typeof(PrefillAttentionTests))]
    [InlineData(typeof(DecodeAttentionTests))]
    [InlineData(typeof(VisionAttentionTests))]
    [InlineData(typeof(PatchEmbeddingTests))]
    public void Bounds_hold_where_tensor_cores_truncate(Type tests)
    {
        Assert.NotNull(device.Context);
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
            Assert.Skip("a GPU's tensor cores always truncate");
        (int exitCode, string output) = Run(tests.FullName!);
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("Total: 0,", output, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Output) Run(string tests)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["-noLogo", "-noColor", "-class", tests])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment[Variable] = Environment.GetEnvironmentVariable(Variable) == "truncated" ? "nearest" : "truncated";
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

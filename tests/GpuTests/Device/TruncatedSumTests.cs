using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Tests of kernels that use tensor cores, once more on an emulated device whose tensor cores truncate as hardware's do: the longest sums, and each
/// kind of sum. Run as a process of its own, because the device is the process's.</summary>
public sealed class TruncatedSumTests(GpuDevice device)
{
    private const string Variable = "XC2_EMULATED_SUMS";

    private static readonly TimeSpan limit = TimeSpan.FromMinutes(10);

    private static readonly string[] methods =
    [
        $"*{nameof(LinearPrefillTests)}.{nameof(LinearPrefillTests.Real_sizes_are_right)}",
        $"*{nameof(LinearPrefillTests)}.{nameof(LinearPrefillTests.The_residual_stream_stays_in_f32)}",
        $"*{nameof(LinearPrefillTests)}.{nameof(LinearPrefillTests.Gate_and_up_have_a_partial_lora_each)}",
        $"*{nameof(LinearRopeTests)}.{nameof(LinearRopeTests.Decode_rotates_and_appends)}",
        $"*{nameof(PrefillAttentionTests)}.{nameof(PrefillAttentionTests.Rows_attend_to_past_and_current_keys)}",
        $"*{nameof(DecodeAttentionTests)}.{nameof(DecodeAttentionTests.Newest_token_attends_to_all_keys)}",
        $"*{nameof(VisionAttentionTests)}.{nameof(VisionAttentionTests.Tokens_attend_to_their_own_picture)}",
        $"*{nameof(VisionAttentionTests)}.{nameof(VisionAttentionTests.Published_size_is_supported)}",
        $"*{nameof(LinearDecodeTests)}.*",
        $"*{nameof(LoraDownTests)}.*",
        $"*{nameof(PatchEmbeddingTests)}.*",
    ];

    [Fact]
    public void Bounds_hold_where_tensor_cores_truncate()
    {
        Assert.NotNull(device.Context);
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
            Assert.Skip("a GPU's tensor cores always truncate");
        (int exitCode, string output) = Run();
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("Total: 0,", output, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Output) Run()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["-noLogo", "-noColor", .. methods.SelectMany(method => new[] { "-method", method })])
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

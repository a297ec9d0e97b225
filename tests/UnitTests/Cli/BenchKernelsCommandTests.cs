using System.Text.Json;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class BenchKernelsCommandTests
{
    [Fact]
    public async Task Cases_are_listed_without_a_gpu()
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("bench", "kernels", "--list", "--json", "--filter", "LINEAR_DECODE 92544x4096, f32 out, 1", "--filter", "select_patches"));
        JsonElement list = JsonDocument.Parse(xc2.Output).RootElement;
        Assert.Equal("internlm-xcomposer2-vl-7b", list.GetProperty("model").GetString());
        JsonElement[] cases = [.. list.GetProperty("cases").EnumerateArray()];
        Assert.Equal(["select_patches", "linear_decode"], cases.Select(item => item.GetProperty("kernel").GetString()));
        Assert.Equal(2L * 92544 * 4096, cases[1].GetProperty("flops").GetInt64());
        Assert.Equal((2L * 92544 * 4096) + (2 * 4096) + (4 * 92544), cases[1].GetProperty("bytes").GetInt64());
        Assert.True(cases[1].GetProperty("memory_bytes").GetInt64() >= cases[1].GetProperty("bytes").GetInt64());
    }

    [Fact]
    public async Task Text_list_is_grouped_by_kernel()
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("bench", "kernels", "--list", "--filter", "mma_rate", "--filter", "select_patches", "--preset", "internlm-xcomposer2-vl-1_8b"));
        Assert.Equal(
            """
            cases of internlm-xcomposer2-vl-1_8b
            select_patches
              1225 rows of 1024          7.53 MB        0.00 GFLOP
            mma_rate
              bf16, 16384 steps          0.27 MB     2267.74 GFLOP

            """.ReplaceLineEndings("\n"), xc2.Output);
    }

    [Theory]
    [InlineData("xc2: --filter: no case has 'linear_decod 1' in its name; kernels are decode_attention, dequantize, embed_tokens, ", "--list", "--filter", "select", "--filter", "linear_decod 1")]
    [InlineData("xc2: --l2 must be cold or written or warm, not 'hot'", "--l2", "hot")]
    [InlineData("xc2: --repetitions must be an integer, 1 to 10000, not '0'", "--repetitions", "0")]
    [InlineData("xc2: --model and --preset exclude each other", "--model", "m", "--preset", "internlm-xcomposer2-vl-7b")]
    [InlineData("xc2: --preset must be internlm-xcomposer2-vl-7b or ", "--preset", "8b")]
    public async Task Wrong_usage_states_expected_values(string message, params string[] args)
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Usage, await xc2.RunAsync(["bench", "kernels", .. args]));
        Assert.StartsWith(message, xc2.Error, StringComparison.Ordinal);
        Assert.Equal("", xc2.Output);
    }

    [Fact]
    public async Task Unwritable_file_is_detected_before_measuring()
    {
        using CliHarness xc2 = new();
        string missing = Path.Combine(Path.GetTempPath(), $"xc2-none-{Environment.ProcessId}", "k.json");
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("bench", "kernels", "--json", missing));
        Assert.StartsWith($"xc2: --json: there is no folder {Path.GetDirectoryName(missing)}", xc2.Error, StringComparison.Ordinal);
    }
}

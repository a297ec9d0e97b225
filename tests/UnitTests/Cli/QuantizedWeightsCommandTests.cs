using System.Text.Json;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary><c>--weights int8</c> in plan, verify and bench.</summary>
public sealed class QuantizedWeightsCommandTests
{
    private const string Preset = "internlm-xcomposer2-vl-7b";

    private const string Said = ", decoder's linears as int8";

    private static readonly string demo = TestPaths.Repository("tools/demo/checkpoint");

    [Fact]
    public async Task Plan_states_the_saved_memory()
    {
        JsonElement stored = await RunJsonAsync(ExitCode.Done, "plan", "--preset", Preset), int8 = await RunJsonAsync(ExitCode.Done, "plan", "--preset", Preset, "--weights", "int8");
        Assert.Equal((Preset, Preset + Said), (stored.GetProperty("model").GetString(), int8.GetProperty("model").GetString()));
        JsonElement quantised = Assert.Single(int8.GetProperty("items").EnumerateArray(), item => item.GetProperty("name").GetString() == "weights that are quantised while loading");
        // 32 layers with 218,103,808 weights of 2 bytes each before, and 43,008 rows with one scale each.
        Assert.Equal(32 * (218_103_808L + (4 * 43_008)), quantised.GetProperty("bytes").GetInt64());
        Assert.Equal(32 * (218_103_808L - (4 * 43_008)), stored.GetProperty("total_bytes").GetInt64() - int8.GetProperty("total_bytes").GetInt64());

        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("plan", "--model", demo, "--weights", "int8"));
        Assert.Contains("weights that are quantised while loading", xc2.Output, StringComparison.Ordinal);
        Assert.Contains(Said, xc2.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verification_compares_the_error_with_the_tolerance()
    {
        string[] verify = ["verify", "--model", TestPaths.Shared("golden/mqa-head128-bf16"), "--device", "cpu", "--weights", "int8"];
        JsonElement report = await RunJsonAsync(ExitCode.Done, verify);
        Assert.EndsWith(Said, report.GetProperty("model").GetString(), StringComparison.Ordinal);
        Assert.Equal(0.05, report.GetProperty("tolerance").GetDouble());
        Assert.All(Logits(report), logits => Assert.InRange(logits.GetProperty("relative_l2").GetDouble(), 5e-3, 3e-2));
        Assert.Equal(6, Logits(report).Length);

        JsonElement strict = await RunJsonAsync(ExitCode.Failed, [.. verify, "--tolerance", "0.001"]);
        Assert.All(Logits(strict), logits => Assert.False(logits.GetProperty("passed").GetBoolean()));

        static JsonElement[] Logits(JsonElement report) =>
            [.. report.GetProperty("stages").EnumerateArray().Where(stage => stage.GetProperty("name").GetString()!.Contains("logits", StringComparison.Ordinal))];
    }

    [Fact]
    public async Task Measurement_reads_fewer_bytes()
    {
        string[] bench = ["bench", "decode", "--model", demo, "--device", "cpu", "--tokens", "8", "--steps", "2", "--samples", "1"];
        JsonElement stored = await RunJsonAsync(ExitCode.Done, bench), int8 = await RunJsonAsync(ExitCode.Done, [.. bench, "--weights", "int8"]);
        Assert.EndsWith(Said, int8.GetProperty("model").GetString(), StringComparison.Ordinal);
        // 3 layers of 589,824 weights and 2,048 rows.
        Assert.Equal(3 * (589_824 - (4 * 2048)), stored.GetProperty("decode_weight_bytes").GetInt64() - int8.GetProperty("decode_weight_bytes").GetInt64());
    }

    [Fact]
    public async Task Head_of_four_bits_halves_the_head()
    {
        string[] plan = ["plan", "--preset", Preset, "--weights", "int4"];
        JsonElement int8 = await RunJsonAsync(ExitCode.Done, plan), int4 = await RunJsonAsync(ExitCode.Done, [.. plan, "--head", "int4"]);
        Assert.Contains("head as int4 by 128", int4.GetProperty("model").GetString(), StringComparison.Ordinal);
        // 92,544 rows of 4,096: a scale each, or 32 scales each.
        Assert.Equal(92_544L * ((4096 / 2) + 4 - (32 * 4)), int8.GetProperty("total_bytes").GetInt64() - int4.GetProperty("total_bytes").GetInt64());
    }

    private static async Task<JsonElement> RunJsonAsync(int exitCode, params string[] args)
    {
        using CliHarness xc2 = new();
        int found = await xc2.RunAsync([.. args, "--json"]);
        Assert.True(exitCode == found, xc2.Error);
        return JsonDocument.Parse(xc2.Output).RootElement;
    }
}

using System.Text.Json;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary><c>xc2 bench ttft</c> and <c>load</c>.</summary>
public sealed class BenchCommandTests
{
    private static readonly string demo = TestPaths.Repository("tools/demo/checkpoint");

    [Fact]
    public async Task Time_to_first_token_is_the_sum_of_its_parts()
    {
        JsonElement result = await RunAsync("ttft", "--tokens", "5", "--samples", "2");
        Dictionary<string, JsonElement> series = result.GetProperty("series").EnumerateArray().ToDictionary(one => one.GetProperty("name").GetString()!);
        Assert.Equal(["picture", "vision", "prefill", "first token"], series.Keys);
        for (int sample = 0; sample < 2; sample++)
            Assert.Equal(Sample("picture", sample) + Sample("vision", sample) + Sample("prefill", sample), Sample("first token", sample), 1e-6);
        Assert.True(Sample("picture", 0) > 0);
        Assert.False(series["picture"].TryGetProperty("tokens_per_second", out JsonElement rate) && rate.ValueKind != JsonValueKind.Null, "a picture has no tokens");

        double Sample(string name, int index) => series[name].GetProperty("samples_ms")[index].GetDouble();
    }

    [Fact]
    public async Task The_picture_of_the_first_token_is_a_file()
    {
        JsonElement result = await RunAsync("ttft", "--tokens", "5", "--samples", "1", "--image", TestPaths.Repository("tools/demo/pictures/shapes-3.png"));
        Assert.Contains(result.GetProperty("series").EnumerateArray(), one => one.GetProperty("name").GetString() == "picture");
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("bench", "ttft", "--model", demo, "--device", "cpu", "--image", "/nonexistent.png"));
        Assert.StartsWith("xc2: /nonexistent.png: ", xc2.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("prefill", "vision prefill")]
    [InlineData("decode", "vision prefill decode")]
    public async Task Pictures_of_prompts_are_random_pixels(string kind, string expected)
    {
        JsonElement result = await RunAsync(kind, ["--tokens", "5", "--images", "1", "--samples", "1", .. kind == "decode" ? (string[])["--steps", "3", "--beams", "2"] : []]);
        Assert.Equal(expected, string.Join(' ', result.GetProperty("series").EnumerateArray().Select(one => one.GetProperty("name").GetString())));
    }

    [Fact]
    public async Task Loading_is_timed_sample_by_sample()
    {
        JsonElement load = Assert.Single((await RunAsync("load", "--samples", "3")).GetProperty("series").EnumerateArray());
        Assert.Equal(("load", 3), (load.GetProperty("name").GetString(), load.GetProperty("samples_ms").GetArrayLength()));
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("bench", "load", "--model", demo, "--device", "cpu", "--samples", "1"));
        Assert.Contains("GB/s of weights (mapped files are read on first use)", xc2.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_peak_of_host_memory_is_stated() => Assert.True((await RunAsync("prefill", "--tokens", "5", "--samples", "1")).GetProperty("peak_host_bytes").GetInt64() > 1 << 20);

    [Theory]
    [InlineData("load", "--preset")]
    [InlineData("load", "--tokens")]
    [InlineData("prefill", "--image")]
    [InlineData("ttft", "--steps")]
    public async Task An_option_of_another_measurement_is_refused(string kind, string option)
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Usage, await xc2.RunAsync("bench", kind, option, "1"));
        Assert.Contains(option, xc2.Error, StringComparison.Ordinal);
    }

    private static async Task<JsonElement> RunAsync(string kind, params string[] args)
    {
        using CliHarness xc2 = new();
        int exitCode = await xc2.RunAsync(["bench", kind, "--model", demo, "--device", "cpu", "--json", .. args]);
        Assert.True(exitCode == ExitCode.Done, xc2.Error);
        return JsonDocument.Parse(xc2.Output).RootElement;
    }
}

using System.Text.Json;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary><c>xc2 plan --vram</c>: whether a model fits into a GPU, and the smallest change with which it would.</summary>
public sealed class PlanVramTests
{
    private const string Chat = "internlm-xcomposer2-vl-7b", Composition = "internlm-xcomposer2-7b";

    private const double Gibibyte = 1L << 30;

    [Theory]
    [InlineData(Chat, "int4", "8GiB", 6.4)]
    [InlineData(Composition, "int4", "8GiB", 6.4)]
    [InlineData(Chat, "int4", "8GiB", 6.15, "--cache int8")]
    [InlineData(Chat, "int4", "8GiB", 6.05, "--embeddings host")]
    [InlineData(Chat, "int8", "12GiB", 10.2, "--embeddings host")]
    [InlineData(Composition, "int8", "12GiB", 10.2, "--embeddings host")]
    [InlineData(Chat, "int8", "12GiB", 10.9)]
    [InlineData(Composition, "int8", "12GiB", 10.9)]
    [InlineData(Chat, "stored", "24GiB", 17, "--embeddings host")]
    [InlineData(Composition, "stored", "24GiB", 17, "--embeddings host")]
    public async Task A_model_fits_into_its_card(string preset, string weights, string vram, double mostGibibytes, string more = "")
    {
        JsonElement fit = await FitAsync(["--preset", preset, "--weights", weights, "--context", "4096", "--vram", vram, .. more.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.True(fit.GetProperty("fits").GetBoolean());
        Assert.InRange(fit.GetProperty("needed_bytes").GetInt64() / Gibibyte, mostGibibytes * 0.8, mostGibibytes);
        Assert.Equal(450L << 20, fit.GetProperty("context_bytes").GetInt64());
        Assert.Equal(JsonValueKind.Null, fit.GetProperty("change").ValueKind);
    }

    /// <summary>What is named fits, and each of its parts is needed.</summary>
    [Theory]
    [InlineData("12GiB", "--weights int8")]
    [InlineData("16.3GiB", "--head int8 --embeddings host")]
    [InlineData("17GiB", "--embeddings host")]
    [InlineData("8GiB", "--weights int4")]
    public async Task The_smallest_change_is_named(string vram, string change)
    {
        string[] plan = ["--preset", Chat, "--context", "4096", "--vram", vram];
        JsonElement fit = await FitAsync(plan);
        Assert.False(fit.GetProperty("fits").GetBoolean());
        Assert.Equal(change, fit.GetProperty("change").GetString());
        JsonElement changed = await FitAsync([.. plan, .. change.Split(' ')]);
        Assert.True(changed.GetProperty("fits").GetBoolean());
        Assert.Equal(fit.GetProperty("changed_bytes").GetInt64(), changed.GetProperty("needed_bytes").GetInt64());
    }

    [Fact]
    public async Task What_fits_with_no_change_is_told_so_and_sizes_have_units()
    {
        using CliHarness tiny = new(), fits = new();
        Assert.Equal(ExitCode.Done, await tiny.RunAsync("plan", "--preset", Chat, "--vram", "0.5GB"));
        Assert.Contains("no change of options makes it fit", tiny.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, await fits.RunAsync("plan", "--preset", "internlm-xcomposer2-vl-1_8b", "--context", "4096", "--vram", "8192MiB"));
        Assert.Contains("CUDA context", fits.Output, StringComparison.Ordinal);
        Assert.Contains("needed of 8.00 GiB", fits.Output, StringComparison.Ordinal);
        Assert.Contains("fits: ", fits.Output, StringComparison.Ordinal);
        foreach (string[] wrong in new string[][] { ["--vram", "8 apples"], ["--vram", "-1GiB"], ["--vram", "0"], ["--vram", "8GiB", "--device", "cpu"] })
        {
            using CliHarness xc2 = new();
            Assert.Equal(ExitCode.Usage, await xc2.RunAsync(["plan", "--preset", Chat, .. wrong]));
            Assert.Contains("--vram", xc2.Error, StringComparison.Ordinal);
        }
    }

    private static async Task<JsonElement> FitAsync(params string[] options)
    {
        using CliHarness xc2 = new();
        int exitCode = await xc2.RunAsync(["plan", .. options, "--json"]);
        Assert.True(exitCode == ExitCode.Done, xc2.Error);
        return JsonDocument.Parse(xc2.Output).RootElement.GetProperty("vram");
    }
}

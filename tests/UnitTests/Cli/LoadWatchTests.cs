using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Progress output while a model is loaded.</summary>
public sealed class LoadWatchTests
{
    private const string Answer = "you said hi\n";

    [Fact]
    public async Task Pipe_shows_no_progress()
    {
        using CliHarness xc2 = new() { Loading = ReportAsync };
        await xc2.RunAsync("chat", "hi");
        Assert.Equal((Answer, ""), (xc2.Output, xc2.Error));
    }

    [Fact]
    public async Task Verbose_pipe_shows_a_line_for_each_tenth()
    {
        using CliHarness xc2 = new() { Loading = ReportAsync };
        await xc2.RunAsync("chat", "--verbose", "hi");
        Assert.Equal(Answer, xc2.Output);
        string[] lines = xc2.Error.Split('\n');
        Assert.Equal(["compiling kernels, 1 of 4", "compiling kernels, 2 of 4", "compiling kernels, 3 of 4", "compiling kernels, 4 of 4"], lines[..4]);
        Assert.Equal("uploading weights, 1.00 MB of 200.00 MB", lines[4]);
        Assert.Equal("uploading weights, 20.00 MB of 200.00 MB", lines[5]);
        Assert.Equal("uploading weights, 200.00 MB of 200.00 MB", lines[14]);
        Assert.Equal(ScriptedChatClient.SomeInfo.Device, lines[15]);
    }

    [Fact]
    public async Task Terminal_shows_one_live_line()
    {
        using CliHarness xc2 = new()
        {
            IsTerminal = true,
            Loading = async options =>
            {
                await ReportAsync(options);
                await Task.Delay(1200, TestContext.Current.CancellationToken);
            },
        };
        await xc2.RunAsync("chat", "--verbose", "hi");
        Assert.Contains("uploading weights, 200.00 MB of 200.00 MB", xc2.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("compiling", xc2.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("uploading", xc2.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Notices_are_written_once_even_if_loading_fails(bool fails)
    {
        using CliHarness xc2 = new()
        {
            LoadError = fails ? new EngineException("no device") : null,
            Loading = options =>
            {
                options.Notice!("an entry\nis damaged");
                options.Notice("an entry\nis damaged");
                return Task.CompletedTask;
            },
        };
        await xc2.RunAsync("chat", "hi");
        Assert.Equal("xc2: an entry is damaged\n" + (fails ? "xc2: no device\n" : ""), xc2.Error);
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    public async Task Unusable_GPU_is_reported_on_a_terminal(bool isTerminal, bool failed, bool isTold)
    {
        EngineInfo info = ScriptedChatClient.SomeInfo with { DeviceNote = "no GPU is used: it is full", DeviceFailed = failed };
        using CliHarness xc2 = new() { IsTerminal = isTerminal, Client = new ScriptedChatClient((_, _) => Nothing()) { Info = info } };
        await xc2.RunAsync("chat", "hi");
        Assert.Equal(isTold, xc2.Error.Contains("Running on the CPU: no GPU is used: it is full\n", StringComparison.Ordinal));
    }

    private static async IAsyncEnumerable<string> Nothing()
    {
        await Task.CompletedTask;
        yield return "nothing";
    }

    private static Task ReportAsync(EngineOptions options)
    {
        for (int kernel = 1; kernel <= 4; kernel++)
            options.Progress!.Report(new LoadProgress(LoadPhase.CompilingKernels, kernel, 4));
        for (long bytes = 1_000_000; bytes <= 200_000_000; bytes += 1_000_000)
            options.Progress!.Report(new LoadProgress(LoadPhase.UploadingWeights, bytes, 200_000_000));
        return Task.CompletedTask;
    }
}

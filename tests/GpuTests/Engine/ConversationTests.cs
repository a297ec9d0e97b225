using System.Diagnostics;
using XComposer2.Native.Graph;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Several conversations in one engine on the device.</summary>
public sealed class ConversationTests(GpuDevice device)
{
    private const string ScheduleVariable = "XC2_EMULATED_SCHEDULE";

    private static readonly TimeSpan limit = TimeSpan.FromMinutes(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>In F32: two lengths of a prompt's pieces round alike but for the order of sums, and a draw is not decided by it.</summary>
    [Fact]
    public async Task Eight_conversations_together_answer_as_each_does_alone()
    {
        Assert.NotNull(device.Context);
        var options = new EngineOptions
        {
            ModelPath = RepositoryPaths.Find("tools/demo/checkpoint"),
            Limits = new EngineLimits { Context = 512, CacheBytes = 8 << 20, PromptPiece = 64 },
            Device = new DeviceOptions { Kind = DeviceKind.Cuda, Storage = DType.F32 },
        };
        await using XComposerEngine engine = await XComposerEngine.LoadAsync(options, Cancellation);
        await Conversations.CheckAsync(engine, RepositoryPaths.Find("tools/demo/pictures"), tokens: 12);
    }

    /// <summary>An emulated device takes its schedule when the process starts: this program again, with the test above alone.</summary>
    [Theory]
    [InlineData("reverse")]
    [InlineData("shuffled")]
    public async Task So_they_do_under_other_schedules(string schedule)
    {
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
            Assert.Skip("a GPU has a schedule of its own");
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(ConversationTests).Assembly.Location);
        foreach (string argument in new[] { "-noLogo", "-noColor", "-method", $"*{nameof(Eight_conversations_together_answer_as_each_does_alone)}" })
            start.ArgumentList.Add(argument);
        start.Environment[ScheduleVariable] = schedule;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancellation), errors = process.StandardError.ReadToEndAsync(Cancellation);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(limit);
        await process.WaitForExitAsync(patience.Token);
        Assert.True(process.ExitCode == 0, $"schedule {schedule}: {await output}{await errors}");
        Assert.Contains("Total: 1", await output, StringComparison.Ordinal);
    }
}

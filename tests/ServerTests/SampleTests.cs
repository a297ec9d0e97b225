using System.Diagnostics;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>The programs of tools/samples/, run as they are.</summary>
public sealed class SampleTests(DemoServer demo) : IClassFixture<DemoServer>
{
    private const string Picture = "tools/demo/pictures/shapes-1.png", Described = "The image shows a red star at the top.";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Chat_sample_describes_a_picture_in_its_own_process()
    {
        string output = await RunAsync("ChatSample", "tools/demo/checkpoint", Picture);
        Assert.StartsWith(Described + "\n(", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAI_sample_asks_the_server() => Assert.Equal(Described + "\n", await RunAsync("OpenAiSample", demo.Http.BaseAddress!.ToString(), Picture));

    private static async Task<string> RunAsync(string sample, params string[] arguments)
    {
        // In its own folder, with the packages that it has itself.
        string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        string program = Path.Combine(AppContext.BaseDirectory, "..", "..", sample, configuration, sample + ".dll");
        ProcessStartInfo start = new("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = TestPaths.RepositoryRoot };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(Cancellation);
        string output = await process.StandardOutput.ReadToEndAsync(Cancellation);
        Assert.True(process.WaitForExit(ServeProgram.Limit));
        Assert.True(process.ExitCode == 0, await errors);
        return output;
    }
}

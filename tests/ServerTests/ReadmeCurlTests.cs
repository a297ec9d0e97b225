using System.Diagnostics;
using System.Text.RegularExpressions;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>The curl commands of the README, run as they are but for the port.</summary>
public sealed partial class ReadmeCurlTests(DemoServer demo) : IClassFixture<DemoServer>
{
    private static readonly string[] expected = ["The image shows a red star at the top.", "data: [DONE]", "{\"status\":\"ok\"}"];

    [Fact]
    public async Task Commands_of_the_readme_work()
    {
        string[] commands = [.. Command().Matches(await File.ReadAllTextAsync(TestPaths.Repository("README.md"), TestContext.Current.CancellationToken)).Select(match => match.Value)];
        Assert.Equal(expected.Length, commands.Length);
        foreach ((string command, string part) in commands.Zip(expected))
        {
            ProcessStartInfo start = new("bash", ["-c", command.Replace("127.0.0.1:8080", demo.Http.BaseAddress!.Authority, StringComparison.Ordinal)])
            {
                WorkingDirectory = TestPaths.RepositoryRoot, RedirectStandardOutput = true, RedirectStandardError = true,
            };
            using Process curl = Process.Start(start)!;
            string output = await curl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.True(curl.WaitForExit(TimeSpan.FromSeconds(30)));
            Assert.Equal(0, curl.ExitCode);
            Assert.Contains(part, output, StringComparison.Ordinal);
        }
    }

    // One command: its own line, and those after it that are indented.
    [GeneratedRegex(@"^curl .*(\n +.*)*", RegexOptions.Multiline)]
    private static partial Regex Command();
}

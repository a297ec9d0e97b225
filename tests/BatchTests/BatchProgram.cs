using System.Diagnostics;
using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.BatchTests;

/// <summary><c>xc2 batch</c> with the demo: within the test's process, or as a process of its own that can be killed.</summary>
internal static class BatchProgram
{
    private static string[] Model => ["--model", TestPaths.Repository("tools/demo/checkpoint"), "--device", "cpu", "--threads", "2"];

    /// <returns>Exit code, and what standard error has.</returns>
    public static async Task<(int ExitCode, string Error)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        using Interrupts interrupts = new();
        CliServices services = new(new CliConsole(TextReader.Null, output, error), interrupts, (_, _, _) => throw new InvalidOperationException("no chat"));
        int code = await CliApplication.RunAsync(["batch", .. arguments, .. Model], services);
        Assert.Equal("", output.ToString());
        return (code, error.ToString());
    }

    public static async Task<string> SucceedAsync(params string[] arguments)
    {
        (int code, string error) = await RunAsync(arguments);
        Assert.True(code == ExitCode.Done, error);
        return error;
    }

    public static Process Start(params string[] arguments)
    {
        string host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        ProcessStartInfo start = new(host, [Path.Combine(AppContext.BaseDirectory, "xc2.dll"), "batch", .. arguments, .. Model]) { RedirectStandardError = true, RedirectStandardOutput = true };
        return Process.Start(start)!;
    }

    public static List<JsonElement> Results(string path) => [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement)];
}

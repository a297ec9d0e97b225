using System.Diagnostics;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary><c>xc2</c> as a process.</summary>
internal static class EvalProgram
{
    private static readonly TimeSpan limit = TimeSpan.FromSeconds(120);

    /// <summary>Runs to the end.</summary>
    public static async Task<(int Status, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using Process process = Start(arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(limit, TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Kills it (SIGKILL) after a time; false where it has ended before.</summary>
    public static async Task<bool> KillAfterAsync(TimeSpan time, params string[] arguments)
    {
        using Process process = Start(arguments);
        Task reading = Task.WhenAll(process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(time, TestContext.Current.CancellationToken);
            return false;
        }
        catch (TimeoutException)
        {
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            await reading;
            return true;
        }
    }

    private static Process Start(string[] arguments)
    {
        string host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        ProcessStartInfo start = new(host, [Path.Combine(AppContext.BaseDirectory, "xc2.dll"), .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = TestPaths.RepositoryRoot,
        };
        foreach (string name in (string[])["XC2_MODEL", "OPENAI_API_KEY"])
            start.Environment.Remove(name);
        return Process.Start(start)!;
    }
}

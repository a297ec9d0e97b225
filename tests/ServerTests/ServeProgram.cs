using System.Diagnostics;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary><c>xc2</c> as a process.</summary>
internal static class ServeProgram
{
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A server with the demo on a free port, ready to answer, and a client of it.</summary>
    public static async Task<(Process Server, HttpClient Http)> StartAsync(params string[] options)
    {
        Process server = Start(["serve", "--port", "0", "--device", "cpu", "--threads", "2", "--log", "none", .. options]);
        return (server, new HttpClient { BaseAddress = new Uri(await ReadyAsync(server)) });
    }

    /// <summary>Waits until the model is loaded.</summary>
    /// <returns>The address.</returns>
    public static async Task<string> ReadyAsync(Process server)
    {
        string? line = await server.StandardOutput.ReadLineAsync(Cancellation).AsTask().WaitAsync(Limit, Cancellation);
        Assert.StartsWith("Ready: http", line, StringComparison.Ordinal);
        return line!.Split(' ')[1];
    }

    public static Process Start(params string[] arguments)
    {
        string host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        ProcessStartInfo start = new(host, [Path.Combine(AppContext.BaseDirectory, "xc2.dll"), .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = TestPaths.RepositoryRoot,
        };
        foreach (string name in (string[])["XC2_MODEL", "XC2_HTTP_HOST", "XC2_HTTP_PORT", "XC2_API_KEY"])
            start.Environment.Remove(name);
        return Process.Start(start)!;
    }
}

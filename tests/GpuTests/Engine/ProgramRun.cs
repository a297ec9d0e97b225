using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The program as a process of its own: an emulated device takes its schedule and its generation when it starts. A GPU ignores both.</summary>
internal static class ProgramRun
{
    private static readonly TimeSpan limit = TimeSpan.FromMinutes(5);

    /// <param name="schedule">Order in which threads run: forward, reverse or shuffled.</param>
    /// <param name="architecture">For example 75; null for the tests' own.</param>
    /// <param name="arguments">Of <c>xc2</c>.</param>
    public static (int ExitCode, string Output, string Errors) Start(string schedule, string? architecture, params ReadOnlySpan<string> arguments)
    {
        // Published with its runtime, the program starts by itself; else the runtime that runs this test starts it.
        string program = Path.Combine(AppContext.BaseDirectory, "xc2");
        bool isSelfContained = File.Exists(Path.Combine(AppContext.BaseDirectory, "libcoreclr.so"));
        var start = isSelfContained ? new ProcessStartInfo(program, arguments.ToArray()) : new ProcessStartInfo("dotnet", [program + ".dll", .. arguments]);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        start.Environment["XC2_EMULATED_SCHEDULE"] = schedule;
        start.Environment["XC2_CACHE"] = Path.Combine(Path.GetTempPath(), "xc2-gpu-tests");
        if (architecture is not null)
            start.Environment["XC2_EMULATED_ARCH"] = architecture;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"it took over {limit.TotalMinutes} minutes");
        }

        return (process.ExitCode, output.Result, errors.Result);
    }
}

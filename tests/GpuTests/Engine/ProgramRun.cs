using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>One run of the program as a process of its own.</summary>
/// <param name="ExitCode">What it answered.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Errors">Standard error.</param>
internal sealed record ProgramRun(int ExitCode, string Output, string Errors)
{
    private static readonly TimeSpan limit = TimeSpan.FromMinutes(5);

    /// <summary>Everything that it wrote.</summary>
    public string All => Output + Errors;

    /// <summary>An emulated device takes its schedule and its generation when the process starts; a GPU ignores both.</summary>
    /// <param name="schedule">Order in which threads run: forward, reverse or shuffled.</param>
    /// <param name="architecture">For example 75; null for the tests' own.</param>
    /// <param name="arguments">Of the command line.</param>
    public static ProgramRun Start(string schedule, string? architecture, params ReadOnlySpan<string> arguments)
    {
        Dictionary<string, string?> environment = new()
        {
            ["XC2_EMULATED_SCHEDULE"] = schedule, ["XC2_CACHE"] = DeviceLibraries.KernelCache(),
        };
        if (architecture is not null)
            environment["XC2_EMULATED_ARCH"] = architecture;
        return Start(environment, arguments);
    }

    /// <param name="environment">Variables on top of this process's; null takes one away.</param>
    /// <param name="arguments">Of the command line.</param>
    public static ProgramRun Start(IReadOnlyDictionary<string, string?> environment, params ReadOnlySpan<string> arguments)
    {
        // Published with its runtime, the program starts by itself; else the runtime that runs this test starts it.
        string program = Path.Combine(AppContext.BaseDirectory, "xc2");
        bool isSelfContained = File.Exists(Path.Combine(AppContext.BaseDirectory, "libcoreclr.so"));
        var start = isSelfContained ? new ProcessStartInfo(program, arguments.ToArray()) : new ProcessStartInfo("dotnet", [program + ".dll", .. arguments]);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        foreach ((string name, string? value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"it took over {limit.TotalMinutes} minutes");
        }

        return new ProgramRun(process.ExitCode, output.Result, errors.Result);
    }
}

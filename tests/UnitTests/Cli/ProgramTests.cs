using System.Diagnostics;
using System.Runtime.Intrinsics;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Tests of the program as a process.</summary>
public sealed class ProgramTests
{
    private static string Picture => TestPaths.Repository("tools/demo/pictures/shapes-1.png");

    [Fact]
    public void Demo_describes_a_red_star()
    {
        ProcessResult result = Run("", "chat", "--greedy", "--image", Picture, "Describe this image.");

        Assert.Equal((0, "The image shows a red star at the top.\n", ""), (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public void Pipes_use_utf_8()
    {
        ProcessResult result = Run("描述这张图片。\n", "chat", "--greedy", "--image", Picture);

        Assert.Equal((0, "图中有上方的红色星形。\n", ""), (result.ExitCode, result.Output, result.Error));
    }

    /// <summary>The setting narrows the vectors of the just-in-time compiler, as a compilation ahead of time for an old processor does.</summary>
    [Fact]
    public void Narrow_vectors_are_reported()
    {
        if (!Vector256.IsHardwareAccelerated)
            Assert.Skip("the processor has only 128-bit vectors");
        ProcessStartInfo start = Start(new ProcessStartInfo(Host, [Program, "chat", "--verbose", "--device", "cpu", "--greedy", "--image", Picture, "Describe this image."]));
        start.Environment["DOTNET_EnableAVX2"] = "0";
        ProcessResult result = ProcessResult.Of(start);

        Assert.Equal((0, "The image shows a red star at the top.\n"), (result.ExitCode, result.Output));
        Assert.Matches("xc2: this program uses 128-bit vectors, the processor has (256|512)-bit vectors, so the CPU computes more slowly than it could; unset the DOTNET_Enable", result.Error);
        Assert.Matches(@"cpu, \d+ threads?, 128-bit vectors \(the processor has (256|512)-bit vectors\)", result.Error);
    }

    [Fact]
    public void Closed_pipe_ends_the_program_without_a_message()
    {
        ProcessResult result = Shell("{ sleep 0.3; \"$@\"; echo \"status $?\" >&2; } | true", "inspect", TestPaths.Repository("tools/demo/checkpoint"));

        Assert.Equal("status 141\n", result.Error);
    }

    [Fact]
    public void Full_disk_is_reported()
    {
        if (!File.Exists("/dev/full"))
            Assert.Skip("/dev/full does not exist");
        ProcessResult result = Shell("\"$@\" >/dev/full", "inspect", TestPaths.Repository("tools/demo/checkpoint"));

        Assert.Equal((1, "xc2: standard output: No space left on device\n"), (result.ExitCode, result.Error));
    }

    [Fact]
    public void Output_of_other_processes_to_the_same_file_is_kept()
    {
        string file = Path.GetTempFileName();
        Shell($"{{ echo before; \"$@\"; echo after; }} >'{file}'", "--version");

        Assert.Equal($"before\nxc2 {CliApplication.Version}\nafter\n", File.ReadAllText(file));
        File.Delete(file);
    }

    [Theory]
    [InlineData("INT", 2, 130)]
    [InlineData("TERM", 15, 143)]
    public void Signal_determines_the_exit_code(string name, int number, int exitCode)
    {
        if (!Directory.Exists("/proc/self"))
            Assert.Skip("/proc does not exist");
        using Process process = Process.Start(Start(new ProcessStartInfo(Host, [Program, "chat", "-"]) { RedirectStandardInput = true, RedirectStandardError = true }))!;
        Assert.True(SpinWait.SpinUntil(() => Catches(process.Id, number), TimeSpan.FromSeconds(30)), "no signal handler was installed");
        using (Process kill = Process.Start("kill", [$"-{name}", $"{process.Id}"]))
            kill.WaitForExit();

        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)), "the process did not end while its input was open");
        Assert.Equal((exitCode, ""), (process.ExitCode, process.StandardError.ReadToEnd()));
    }

    private static bool Catches(int process, int signal)
    {
        string line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("SigCgt:", StringComparison.Ordinal));
        return (Convert.ToUInt64(line["SigCgt:".Length..].Trim(), 16) >> (signal - 1) & 1) != 0;
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "xc2.dll");

    private static string Host => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    private static ProcessResult Run(string input, params string[] args) => ProcessResult.Of(Start(new ProcessStartInfo(Host, [Program, .. args])), input);

    /// <summary>A shell script in which "$@" is the program with its arguments.</summary>
    private static ProcessResult Shell(string script, params string[] args) => ProcessResult.Of(Start(new ProcessStartInfo("bash", ["-c", script, "bash", Host, Program, .. args])));

    private static ProcessStartInfo Start(ProcessStartInfo start)
    {
        start.Environment.Remove("XC2_MODEL");
        return start;
    }
}

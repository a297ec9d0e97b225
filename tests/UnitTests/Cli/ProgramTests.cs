using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Text;
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

    [Theory]
    [InlineData("<&-")]
    [InlineData("</dev/null")]
    [InlineData("0>/dev/null")]
    public void Prompt_needs_no_standard_input(string redirection)
    {
        ProcessResult result = Shell($"\"$@\" {redirection}", "chat", "--greedy", "--image", Picture, "Describe this image.");

        Assert.Equal((0, "The image shows a red star at the top.\n", ""), (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public void Arguments_that_are_not_utf_8_are_refused()
    {
        ProcessResult prompt = Shell("\"$@\" $'\\xff hello'", "chat"), system = Shell("\"$@\" --system $'\\xff' hello", "chat");

        Assert.Equal((2, "xc2: PROMPT is not UTF-8"), (prompt.ExitCode, prompt.Error.Split('\n')[0]));
        Assert.Equal((2, "xc2: --system is not UTF-8"), (system.ExitCode, system.Error.Split('\n')[0]));
        Assert.Equal(0, Shell("\"$@\" $'\\xef\\xbf\\xbd hello'", "chat", "--max-tokens", "1", "--greedy").ExitCode);
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

    [Fact]
    public async Task Terminal_takes_a_paste_as_one_message_and_leaves_on_the_second_Ctrl_C()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/script"))
            Assert.Skip("script of util-linux, which makes a terminal, does not exist");
        ProcessStartInfo start = Start(new ProcessStartInfo("script", ["-qec", $"'{Host}' '{Program}' chat --greedy --image '{Picture}'", "/dev/null"]));
        start.RedirectStandardInput = start.RedirectStandardOutput = true;
        (start.Environment["TERM"], start.Environment["XC2_HISTORY"]) = ("xterm", "off");
        using Process process = Process.Start(start)!;
        StringBuilder shown = new();
        int seen = 0;

        await TypeAsync("", "(1 picture) > ");
        await TypeAsync("\e[200~Describe\nthis image.\e[201~\r", "The image shows a red star at the top.");
        await TypeAsync("", "\e[?2004h");
        await TypeAsync("\x03", "(Ctrl-C again, or Ctrl-D, leaves)");
        await TypeAsync("", "\e[?2004h");
        await TypeAsync("\x03", null);
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)), shown.ToString());
        Assert.Equal(130, process.ExitCode);
        Assert.DoesNotContain("200~D", shown.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("\e[?2004l", shown.ToString(), StringComparison.Ordinal);

        async Task TypeAsync(string keys, string? expected)
        {
            await process.StandardInput.WriteAsync(keys);
            await process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
            using CancellationTokenSource late = new(TimeSpan.FromSeconds(60));
            char[] buffer = new char[4096];
            while (expected is null || shown.ToString().IndexOf(expected, seen, StringComparison.Ordinal) < 0)
            {
                int count = await process.StandardOutput.ReadAsync(buffer, late.Token);
                if (count == 0 && expected is null)
                    return;
                Assert.True(count > 0, $"'{expected}' was not shown: {shown}");
                shown.Append(buffer, 0, count);
            }

            seen = shown.ToString().IndexOf(expected, seen, StringComparison.Ordinal) + expected.Length;
        }
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

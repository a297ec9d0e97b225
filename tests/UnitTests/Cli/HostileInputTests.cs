using System.Diagnostics;
using XComposer2.Native.Cli;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Hostile and careless command lines: one-sentence errors, exit codes, sanitised output.</summary>
public sealed class HostileInputTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-hostile").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData("--out", "compose", "--instruction", "x", "--out", "")]
    [InlineData("--image", "compose", "--instruction", "x", "--image", " ")]
    [InlineData("--article", "edit", "--article", "")]
    [InlineData("--model", "chat", "--model", "", "hi")]
    [InlineData("--out", "kernels", "compile", "--out", "")]
    [InlineData("--gallery", "compose", "--instruction", "x", "--gallery", "")]
    [InlineData("DIR", "inspect", "")]
    public async Task Empty_name_is_a_usage_error(string name, params string[] args)
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Usage, await xc2.RunAsync(args));
        Assert.StartsWith($"xc2: {name} is empty\n", xc2.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bench", "decode", "--preset", "internlm-xcomposer2-vl-1_8b", "--tokens", "2147483647")]
    [InlineData("bench", "decode", "--preset", "internlm-xcomposer2-vl-1_8b", "--steps", "2147483647")]
    [InlineData("bench", "decode", "--preset", "internlm-xcomposer2-vl-1_8b", "--layers", "2147483647")]
    public async Task Huge_count_is_a_usage_error(params string[] args)
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Usage, await xc2.RunAsync(args));
        Assert.Matches(@"^xc2: --\w+ must be an integer, 1 to \d+, not '2147483647'\n", xc2.Error);
    }

    [Fact]
    public async Task Preset_that_exceeds_memory_is_rejected_with_numbers()
    {
        if (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes > 34L << 30)
            Assert.Skip("this machine has memory for 8.6 thousand million F32 numbers");
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("bench", "decode", "--device", "cpu", "--preset", "internlm-xcomposer2-vl-7b", "--weights", "f32", "--samples", "1", "--steps", "1", "--tokens", "1"));
        Assert.Matches(@"needs \d+\.\d+ GB for them, this machine has \d+\.\d+ GB", xc2.Error);
    }

    [Theory]
    [InlineData("m\u001b]0;PWNED\u0007")]
    [InlineData("m\u202Egnp.exe")]
    [InlineData("m\nforged: line")]
    public async Task Names_are_sanitised_in_messages(string name)
    {
        using CliHarness xc2 = new() { IsTerminal = true };
        await xc2.RunAsync("inspect", Path.Combine(root, name), "--verbose");
        string shown = xc2.Error + xc2.Output;

        Assert.Contains("no such folder", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(shown, c => c is '\u001b' or '\u0007' or '\u202E');
        Assert.DoesNotContain("\nforged", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plan", "--model")]
    [InlineData("verify", "--model")]
    [InlineData("bench", "decode", "--model")]
    [InlineData("edit", "--article")]
    [InlineData("chat", "hi", "--image")]
    [InlineData("compose", "--title", "x", "--out", "/dev/null/x", "--material")]
    [InlineData("chat", "hi", "--device")]
    [InlineData("inspect")]
    public async Task Every_command_sanitises_names_in_its_messages(params string[] args)
    {
        using CliHarness xc2 = new() { IsTerminal = true };
        int status = await xc2.RunAsync([.. args, Path.Combine(root, "m\u001b]0;PWNED\u0007\u202E\u2066\u009Bx\nforged: line"), "--verbose"]);

        Assert.NotEqual(ExitCode.Done, status);
        Assert.Contains("PWNED", xc2.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(xc2.Error + xc2.Output, c => c is '\u001b' or '\u0007' or '\u202E' or '\u2066' or '\u009B');
        Assert.DoesNotContain("\nforged", xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Harmless_characters_are_kept()
    {
        Assert.Equal("a\tb\nc\u200Ed", TerminalText.Clean("a\tb\nc\u200Ed"));
        Assert.Equal("a b\uFFFDc\uFFFD\t", TerminalText.OneLine("a\r\nb\u001bc\u2067\t"));
        Assert.Equal("a\nb\uFFFD", TerminalText.Lines("a\r\nb\u202D"));
        Assert.Equal("家族 👨\u200D👩", TerminalText.OneLine("家族 👨\u200D👩"));
    }

    [Fact]
    public async Task Caption_cannot_forge_a_line_of_the_listing()
    {
        ArticleFigure figure = CompositionPictures.Shown(0) with { Caption = "x\ny\nchanges: forged" };
        string folder = Path.Combine(root, "article");
        ArticleFolder.Create(folder, ArticleHistory.Begin(CompositionPictures.Article("one").WithFigure(0, figure)), []);
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("edit", "--article", folder));

        Assert.Equal("changes: compose", xc2.Output.TrimEnd('\n').Split('\n')[^1]);
        Assert.Equal(3, xc2.Output.TrimEnd('\n').Split('\n').Length);
    }

    [Fact]
    public async Task Unwritable_kernel_folder_is_an_error()
    {
        if (!File.Exists("/dev/null") || !File.Exists(Path.Combine(TestPaths.RepositoryRoot, "artifacts", "nvrtc", "lib", "libnvrtc.so.12")))
            Assert.Skip("NVRTC is not here (tools/nvrtc/install.sh)");
        using CliHarness xc2 = new();
        xc2.Variables["XC2_MODEL"] = TestPaths.Repository("tools/demo/checkpoint");
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("kernels", "compile", "--arch", "sm_80", "--kernel", "rms_norm", "--out", "/dev/null"));
        Assert.Contains("/dev/null/cubins: compiled kernels cannot be written", xc2.Error, StringComparison.Ordinal);
    }

    /// <summary>The command never observes its token.</summary>
    [Fact]
    public async Task Signal_ends_a_command_that_ignores_cancellation()
    {
        TaskCompletionSource never = new();
        using CliHarness xc2 = new() { Loading = _ => never.Task };
        Task<int> running = xc2.RunAsync("chat", "hello");
        await Task.Delay(100, TestContext.Current.CancellationToken);
        long start = Stopwatch.GetTimestamp();
        Assert.True(xc2.Interrupts.Interrupt());

        Assert.Equal(ExitCode.Interrupted, await running);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.5, 10);
        never.SetResult();
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("plan", "--model")]
    public async Task Signal_while_a_checkpoint_opens_ends_without_a_result(params string[] args)
    {
        using CliHarness xc2 = new();
        Assert.True(xc2.Interrupts.Interrupt());
        Assert.Equal(ExitCode.Interrupted, await xc2.RunAsync([.. args, TestPaths.Repository("tools/demo/checkpoint")]));
        Assert.Empty(xc2.Output);
    }

    [Fact]
    public async Task Program_waits_for_saving_after_a_signal()
    {
        using Interrupts interrupts = new();
        Task overdue = interrupts.WaitUntilOverdueAsync();
        using (interrupts.BeginSaving())
        {
            interrupts.Interrupt();
            await Task.Delay(2500, TestContext.Current.CancellationToken);
            Assert.False(overdue.IsCompleted);
        }
        await overdue.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Article_is_kept_elsewhere_if_its_folder_cannot_be_written()
    {
        string parent = Path.Combine(root, "parent"), folder = Path.Combine(parent, "article");
        Directory.CreateDirectory(parent);
        using CliHarness xc2 = new()
        {
            Composer = new ScriptedCompositionModel(_ =>
            {
                // The folder disappears while the model is writing.
                if (Directory.Exists(parent))
                {
                    Directory.Delete(parent, recursive: true);
                    File.WriteAllText(parent, "");
                }
                return "A text that took an hour.";
            }),
        };
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("compose", "--instruction", "x", "--figures", "0", "--out", folder));

        string kept = System.Text.RegularExpressions.Regex.Match(xc2.Error, @"the article was written to (\S+) instead").Groups[1].Value;
        Assert.NotEmpty(kept);
        Assert.Contains("A text that took an hour.", File.ReadAllText(Path.Combine(kept, "article.md")), StringComparison.Ordinal);
        Directory.Delete(kept, recursive: true);
    }
}

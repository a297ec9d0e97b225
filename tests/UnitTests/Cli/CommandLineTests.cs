using System.CommandLine;
using System.Xml.Linq;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("xc2: there is no command 'foo', only chat, compose, edit, batch, serve, eval, compare, inspect, verify, merge, quantize, train, plan, bench, kernels, completion, help", "foo")]
    [InlineData("xc2: there is no command 'caht'; did you mean chat?", "caht")]
    [InlineData("xc2: there is no command 'prefil'; did you mean prefill?", "bench", "prefil")]
    [InlineData("xc2: there is no command 'comose'; did you mean compose?", "help", "comose")]
    [InlineData("xc2: there is no option '--verbos'; did you mean --verbose?", "inspect", "--verbos", "dir")]
    [InlineData("xc2: there is no option '--temp=1'; did you mean --temperature?", "chat", "--temp=1", "hi")]
    [InlineData("xc2: SHELL must be bash or zsh or fish or pwsh, not 'sh'", "completion", "sh")]
    [InlineData("xc2: --greedy takes the most likely token every time, --temperature 0.5 contradicts it", "chat", "--greedy", "--temperature", "0.5", "hi")]
    [InlineData("xc2: --greedy takes the most likely token every time, --top-k 5 contradicts it", "chat", "--greedy", "--top-k", "5", "hi")]
    [InlineData("xc2: --temperature 0 takes the most likely token every time, --top-p 0.5 contradicts it", "chat", "--temperature", "0", "--top-p", "0.5", "hi")]
    [InlineData("xc2: --greedy takes the most likely token every time, --temperature 2 contradicts it", "compose", "--title", "x", "--greedy", "--temperature", "2")]
    [InlineData("xc2: a command is missing: chat, compose, edit, batch, serve, eval, compare, inspect, verify, merge, quantize, train, plan, bench, kernels, completion, help", "--verbose")]
    [InlineData("xc2: a command is missing: prefill, decode, ttft, load, kernels", "bench")]
    [InlineData("xc2: there is no option '--tmeperature'; did you mean --temperature?", "chat", "--tmeperature", "1", "hi")]
    [InlineData("xc2: there is no option '--foo'", "chat", "--foo")]
    [InlineData("xc2: there is no option '--chek'; did you mean --check?", "inspect", "--chek", "dir")]
    [InlineData("xc2: 'this' is one argument too many; text of several words has to be quoted", "chat", "Describe", "this")]
    [InlineData("xc2: DIR is missing", "inspect")]
    [InlineData("xc2: --image needs a value", "chat", "hi", "--image")]
    [InlineData("xc2: --seed may be given once", "chat", "--seed", "1", "--seed", "2", "hi")]
    [InlineData("xc2: --temperature must be a number, 0 (greedy) or more, not '-1'", "chat", "--temperature", "-1", "hi")]
    [InlineData("xc2: --temperature must be a number, 0 (greedy) or more, not 'nan'", "chat", "--temperature", "nan", "hi")]
    [InlineData("xc2: --temperature must be a number, 0 (greedy) or more, not '1,5'", "chat", "--temperature", "1,5", "hi")]
    [InlineData("xc2: --temperature must be a number, 0 (greedy) or more, not 'infinity'", "chat", "--temperature", "infinity", "hi")]
    [InlineData("xc2: --top-p must be a number over 0, at most 1, not '1.01'", "chat", "--top-p", "1.01", "hi")]
    [InlineData("xc2: --top-p must be a number over 0, at most 1, not '0'", "chat", "--top-p", "0", "hi")]
    [InlineData("xc2: --top-k must be an integer, at least 0, not '-1'", "chat", "--top-k", "-1", "hi")]
    [InlineData("xc2: --sums must be f32 or f16, not 'f8'", "verify", "--sums", "f8")]
    [InlineData("xc2: --beams must be an integer, 1 to 8, not '9'", "chat", "--beams", "9", "hi")]
    [InlineData("xc2: --early-stopping needs --beams 2 or more", "chat", "--early-stopping", "hi")]
    [InlineData("xc2: --length-penalty must be a number, -10 to 10, not '11'", "chat", "--beams", "2", "--length-penalty", "11", "hi")]
    [InlineData("xc2: --repetition-penalty must be 1 or more with --beams", "chat", "--beams", "2", "--repetition-penalty", "0.5", "hi")]
    [InlineData("xc2: --repetition-penalty must be a number over 0, not '-0.5'", "chat", "--repetition-penalty", "-0.5", "hi")]
    [InlineData("xc2: --max-tokens must be an integer, at least 1, not '0'", "chat", "--max-tokens", "0", "hi")]
    [InlineData("xc2: --max-tokens must be an integer, at least 1, not '2147483648'", "chat", "--max-tokens", "2147483648", "hi")]
    [InlineData("xc2: --context must be an integer, at least 1, not 'x'", "chat", "--context", "x", "hi")]
    [InlineData("xc2: --seed must be an integer, 0 to 9007199254740991, not '9007199254740992'", "chat", "--seed", "9007199254740992", "hi")]
    [InlineData("xc2: --seed must be an integer, 0 to 9007199254740991, not '-1'", "chat", "--seed", "-1", "hi")]
    [InlineData("xc2: --threads must be an integer, 1 to 1024, not '1025'", "chat", "--threads", "1025", "hi")]
    [InlineData("xc2: --device must be auto or cpu or cuda, not 'gpu'", "chat", "--device", "gpu", "hi")]
    [InlineData("xc2: --weights must be stored or int8 or int4, not 'int3'", "chat", "--weights", "int3", "hi")]
    [InlineData("xc2: --weights must be stored or int8 or int4, not 'INT8'", "verify", "--weights", "INT8")]
    [InlineData("xc2: --weights must be stored or int8 or int4, not 'bf16'", "kernels", "list", "--weights", "bf16")]
    [InlineData("xc2: --weights must be stored or int8 or int4 or bf16 or f16 or f32, not 'i8'", "plan", "--weights", "i8")]
    [InlineData("xc2: --weights must be stored or int8 or int4 or bf16 or f16 or f32, not ''", "bench", "decode", "--weights", "")]
    [InlineData("xc2: --weights needs a value", "chat", "hi", "--weights")]
    [InlineData("xc2: --weights may be given once", "verify", "--weights", "int8", "--weights", "int8")]
    [InlineData("xc2: --weights f16 is for a preset; a checkpoint's weights are stored, int8 or int4", "plan", "--weights", "f16", "--model", "m")]
    [InlineData("xc2: --weights bf16 is for a preset; a checkpoint's weights are stored, int8 or int4", "bench", "decode", "--weights", "bf16", "--model", "m")]
    [InlineData("xc2: prompt style 'nope' is not known; there are chat, train, eval, gradio", "chat", "--prompt-style", "nope", "hi")]
    public async Task Wrong_usage_prints_one_line_and_the_usage(string message, params string[] args)
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Usage, await xc2.RunAsync(args));
        string[] lines = xc2.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Equal(message, lines[0]);
        Assert.StartsWith("Usage: xc2 ", lines[1], StringComparison.Ordinal);
        Assert.Equal("", xc2.Output);
        Assert.Null(xc2.LoadedWith);
    }

    [Theory]
    [InlineData("xc2: the prompt is empty", "chat", "  ")]
    [InlineData("xc2: the prompt is empty", "chat")]
    [InlineData("xc2: the prompt has 2 places for a picture (<ImageHere>), and there is 1 picture", "chat", "--image", "a.png", "<ImageHere> and <ImageHere>")]
    [InlineData("xc2: the prompt has 1 place for a picture (<ImageHere>), and there are 0 pictures", "chat", "<ImageHere>")]
    public async Task Invalid_prompt_is_one_line_and_loads_nothing(string message, params string[] args)
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Failed, await xc2.RunAsync(args));
        Assert.Equal(message + "\n", xc2.Error);
        Assert.Equal("", xc2.Output);
        Assert.Null(xc2.LoadedWith);
    }

    [Fact]
    public async Task No_arguments_print_help_and_fail()
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Usage, await xc2.RunAsync());
        Assert.Equal((CliApplication.HelpPage + "\n", ""), (xc2.Error, xc2.Output));
    }

    [Theory]
    [InlineData(CliApplication.HelpPage + "\n", "--help")]
    [InlineData(ChatCommand.HelpPage + "\n", "chat", "-h")]
    [InlineData(ChatCommand.HelpPage + "\n", "chat", "--temperature", "x", "--help")]
    [InlineData(ChatCommand.HelpPage + "\n", "help", "chat")]
    [InlineData(CliApplication.HelpPage + "\n", "help")]
    [InlineData(HelpCommand.HelpPage + "\n", "help", "--help")]
    [InlineData(HelpCommand.HelpPage + "\n", "help", "help")]
    [InlineData(InspectCommand.HelpPage + "\n", "inspect", "--help")]
    public async Task Help_and_version_go_to_standard_output(string expected, params string[] args)
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync(args));
        Assert.Equal((expected, ""), (xc2.Output, xc2.Error));
    }

    [Fact]
    public async Task Version_is_that_of_the_packages()
    {
        using CliHarness xc2 = new();
        string version = XDocument.Load(TestPaths.Repository("Directory.Build.props")).Descendants("VersionPrefix").Single().Value;

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("--version"));
        Assert.Equal(($"xc2 {version}\n", ""), (xc2.Output, xc2.Error));
    }

    [Fact]
    public void Help_pages_fit_a_terminal_and_list_every_option()
    {
        using CliHarness xc2 = new();
        CliServices services = new(new CliConsole(TextReader.Null, TextWriter.Null, TextWriter.Null), xc2.Interrupts, EngineChatClient.ConnectAsync);
        DocumentedCommand[] commands = [.. Documented(CliApplication.CreateRoot(services, CheckedOption.Flag("--verbose")))];

        Assert.True(commands.Length >= 5);
        foreach (string line in commands.Select(command => command.HelpPage).Append(CliApplication.HelpPage).SelectMany(page => page.Split('\n')))
            Assert.InRange(line.Length, 0, 80);
        foreach (DocumentedCommand command in commands)
        {
            Assert.StartsWith("Usage: xc2 ", command.HelpPage, StringComparison.Ordinal);
            foreach (Option option in command.Options)
                Assert.Contains(option.Name, command.HelpPage, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Chat_help_states_the_actual_defaults()
    {
        GenerationOptions defaults = new();

        Assert.Contains(FormattableString.Invariant($"0 for greedy ({defaults.Temperature})"), ChatCommand.HelpPage, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"at most 1 ({defaults.TopP})"), ChatCommand.HelpPage, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"0 for all ({defaults.TopK})"), ChatCommand.HelpPage, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"1 is none ({defaults.RepetitionPenalty})"), ChatCommand.HelpPage, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"longest answer ({defaults.MaxTokens})"), ChatCommand.HelpPage, StringComparison.Ordinal);
        foreach (string style in Model.PromptStyle.All.Select(style => style.Name))
            Assert.Contains(style, ChatCommand.HelpPage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bench", "xc2 ben")]
    [InlineData("prefill decode ttft load kernels", "xc2 bench ")]
    [InlineData("--max-tokens --model", "xc2 chat --m")]
    [InlineData("--help", "./xc2 inspect --h")]
    [InlineData("auto cpu cuda", "xc2 chat --device ")]
    [InlineData("cpu cuda", "xc2 chat -d c")]
    [InlineData("train chat eval gradio", "xc2 chat --prompt-style ")]
    [InlineData("bash", "xc2 completion b")]
    [InlineData("chat", "xc2 help ch")]
    [InlineData("", "xc2 chat --image ")]
    [InlineData("", "xc2 chat ")]
    [InlineData("", "xc2")]
    public async Task Shells_are_told_what_completes_a_command_line(string expected, string line)
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync($"[suggest:{line.Length}]", line + " cut off"));
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal), xc2.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        Assert.Equal("", xc2.Error);
    }

    [Theory]
    [InlineData("bash", "complete -o default")]
    [InlineData("zsh", "compdef")]
    [InlineData("fish", "complete -c xc2")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public async Task Completion_script_asks_the_program(string shell, string registration)
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("completion", shell));
        Assert.Contains(registration, xc2.Output, StringComparison.Ordinal);
        Assert.Contains("[suggest:", xc2.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--tmeperature", "--temperature")]
    [InlineData("--top_p", "--top-p")]
    [InlineData("--sed", "--seed")]
    [InlineData("--xyz", null)]
    [InlineData("-x", null)]
    public void Near_words_are_proposed(string typed, string? meant) => Assert.Equal(meant, DidYouMean.Find(typed, ["--temperature", "--top-p", "--seed", "--json"]));

    [Fact]
    public async Task Another_picture_without_its_option_is_explained()
    {
        using CliHarness xc2 = new();
        string picture = TestPaths.Repository("tools/demo/pictures/shapes-1.png");

        Assert.Equal(ExitCode.Usage, await xc2.RunAsync("chat", "--image", picture, picture, picture));
        Assert.StartsWith($"xc2: '{picture}' is one argument too many; --image is repeated for each picture\n", xc2.Error, StringComparison.Ordinal);
    }

    private static IEnumerable<DocumentedCommand> Documented(Command command) =>
        command.Subcommands.SelectMany(Documented).Concat(command is DocumentedCommand documented ? [documented] : []);
}

using System.Text;
using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ChatCommandTests
{
    private static string Picture => TestPaths.Repository("tools/demo/pictures/shapes-1.png");

    public static TheoryData<Exception, string> ExpectedFailures => new()
    {
        { new CheckpointException("m/config.json", "vocab_size", "5", "6"), "m/config.json: vocab_size: expected 5, found 6" },
        { new ImageException("cat.png: not a picture"), "cat.png: not a picture" },
        { new PromptException("turn 1: no question"), "turn 1: no question" },
        { new EngineException("the prompt has 9 tokens"), "the prompt has 9 tokens" },
        { new GraphException("a shape"), "a shape" },
        { new IOException("No space left on device"), "No space left on device" },
        { new UnauthorizedAccessException("Access to the path 'x' is denied."), "Access to the path 'x' is denied." },
        { new InsufficientMemoryException("no 3 GB"), "not enough memory: no 3 GB" },
        { new AggregateException(new IOException("inside")), "inside" },
        { new IOException("two\nlines\e[31m"), "two lines\uFFFD[31m" },
        { new InvalidCastException("a bug"), "unexpected InvalidCastException: a bug (--verbose shows where)" },
    };

    /// <summary>Fitting is on unless it is forbidden, or the linears' format is given.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false, "--no-fit")]
    [InlineData(false, "--weights", "stored")]
    [InlineData(false, "--weights", "int8")]
    [InlineData(true, "--weights", "int8", "--fit")]
    [InlineData(true, "--cache", "int8")]
    public async Task A_model_is_fitted_to_a_GPU_unless_its_form_is_given(bool isFitted, params string[] options)
    {
        using CliHarness xc2 = new();
        await xc2.RunAsync(["chat", "--model", "folder", "hello", .. options]);
        Assert.Equal(isFitted, Asked(xc2).Fit);
    }

    [Fact]
    public async Task Standard_output_contains_only_the_answer()
    {
        using CliHarness xc2 = new() { Client = ScriptedChatClient.Saying("图中有", "一个\n", "星形。") };

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat", "描述"));
        Assert.Equal(("图中有一个\n星形。\n", ""), (xc2.Output, xc2.Error));
        Assert.True(xc2.Client.IsDisposed);
    }

    [Theory]
    [InlineData("ends in a line end\n", "ends in a line end\n")]
    [InlineData("", "\n")]
    public async Task Answer_ends_with_one_line_feed(string answer, string expected)
    {
        using CliHarness xc2 = new() { Client = ScriptedChatClient.Saying(answer) };

        await xc2.RunAsync("chat", "hi");
        Assert.Equal(expected, xc2.Output);
    }

    [Theory]
    [InlineData("what?\n", "what?")]
    [InlineData("what?\r\n", "what?")]
    [InlineData("two\nlines\n\n", "two\nlines\n")]
    public async Task Prompt_is_read_from_a_pipe(string piped, string prompt)
    {
        foreach (string[] args in (string[][])[["chat"], ["chat", "-"]])
        {
            using CliHarness xc2 = new() { Input = piped };
            Assert.Equal(ExitCode.Done, await xc2.RunAsync(args));
            Assert.StartsWith("you said " + prompt, xc2.Output, StringComparison.Ordinal);
            Assert.Equal(prompt, xc2.Client.History[0].Question.Text);
        }
    }

    [Theory]
    [InlineData("", "what?", "what?")]
    [InlineData("\n", "what?", "what?")]
    [InlineData("a text\nof lines\n", "what?", "a text\nof lines\nwhat?")]
    [InlineData("a text", "--not-an-option", "a text\n--not-an-option")]
    public async Task Standard_input_comes_before_the_prompt(string piped, string prompt, string question)
    {
        using CliHarness xc2 = new() { Input = piped };

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat", "--", prompt));
        Assert.Equal((question, ""), (xc2.Client.History[0].Question.Text, xc2.Error));
    }

    [Fact]
    public async Task Standard_input_is_not_read_at_a_terminal_or_if_it_is_a_picture()
    {
        using CliHarness terminal = new() { IsTerminal = true, Input = "unread" };
        using CliHarness picture = new() { Input = "unread", InputBytes = File.ReadAllBytes(Picture) };
        await terminal.RunAsync("chat", "what?");
        await picture.RunAsync("chat", "--image", "-", "what?");

        Assert.Equal(["what?", "what?"], [terminal.Client.History[0].Question.Text, picture.Client.History[0].Question.Text]);
    }

    [Fact]
    public async Task Standard_input_that_is_not_utf_8_is_refused()
    {
        foreach (string[] args in (string[][])[["chat"], ["chat", "-"], ["chat", "what?"]])
        {
            using CliHarness xc2 = new() { InputReader = new StreamReader(new MemoryStream([(byte)'a', 0xFF, (byte)'b']), new UTF8Encoding(false, throwOnInvalidBytes: true)) };

            Assert.Equal(ExitCode.Failed, await xc2.RunAsync(args));
            Assert.Equal(("xc2: the prompt on standard input is not UTF-8\n", null), (xc2.Error, xc2.LoadedWith));
        }
    }

    [Theory]
    [InlineData("--temperature", "0")]
    [InlineData("--temperature", "0.0")]
    [InlineData("-t", "0")]
    [InlineData("--greedy", "--temperature", "0")]
    [InlineData("--temperature", "0", "--top-p", "1", "--top-k", "0")]
    [InlineData("--greedy", "--top-k", "1", "--seed", "3")]
    public async Task Temperature_0_is_greedy(params string[] options)
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync(["chat", .. options, "hi"]));
        Assert.True(xc2.Client.LastOptions!.Greedy);
        Assert.Equal(1f, xc2.Client.LastOptions.Temperature);
    }

    [Fact]
    public async Task Beams_reach_the_engine_and_the_size_of_its_cache()
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat", "--beams", "5", "--length-penalty", "-0.5", "--early-stopping", "hi"));
        Assert.Equal((5, -0.5f, true), (xc2.Client.LastOptions!.Beams, xc2.Client.LastOptions.LengthPenalty, xc2.Client.LastOptions.EarlyStopping));
        Assert.Equal(new EngineLimits { Beams = 5 }, xc2.LoadedWith!.Limits);
    }

    [Fact]
    public async Task Short_options_are_the_long_ones()
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat", "-m", "folder", "-d", "cpu", "-i", Picture, "-s", "be brief", "-t", "0.5", "-n", "9", "-v", "hi"));
        Assert.Equal(new EngineOptions { ModelPath = "folder", Device = new DeviceOptions { Kind = DeviceKind.Cpu }, Fit = true }, Asked(xc2));
        Assert.Equal(("be brief", 0.5f, 9), (xc2.OpenedWith!.System, xc2.Client.LastOptions!.Temperature, xc2.Client.LastOptions.MaxTokens));
        Assert.Equal(Picture, xc2.Client.History[0].Question.Images[0].Name);
        Assert.Contains("finish reason stop", xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Full_context_says_what_is_needed()
    {
        using CliHarness xc2 = new() { Client = new ScriptedChatClient((_, _) => throw new ContextFullException(9, 8)) };

        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("chat", "hi"));
        Assert.Equal("xc2: the prompt has 9 tokens, the context is 8 tokens and must hold at least one of the answer; a longer --context or a shorter prompt is needed\n", xc2.Error);
    }

    [Fact]
    public async Task Every_option_reaches_the_engine()
    {
        using CliHarness xc2 = new();
        string[] args =
        [
            "chat", "--model", "some/folder", "--device", "cpu", "--embeddings", "host", "--sums", "f16", "--threads", "3", "--weights", "int8", "--context", "77", "--image", Picture, "--system", "be brief",
            "--prompt-style", "eval", "--temperature", "0.5", "--top-p", "0.25", "--top-k", "7", "--repetition-penalty", "1.5",
            "--seed", "9007199254740991", "--max-tokens", "9", "--stop", "END", "--stop", "\n\n", "--image", Picture, "<ImageHere> or <ImageHere>?",
        ];

        Assert.Equal(ExitCode.Done, await xc2.RunAsync(args));
        Assert.Equal(new EngineOptions { ModelPath = "some/folder", Device = new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 3, Embeddings = EmbeddingPlace.Host, HalfSums = true }, Quantization = WeightQuantization.Int8, Limits = new EngineLimits { Context = 77 } }, Asked(xc2));
        Assert.Equal(new SessionOptions { System = "be brief", PromptStyle = "eval" }, xc2.OpenedWith);
        GenerationOptions expected = new() { Temperature = 0.5f, TopP = 0.25f, TopK = 7, RepetitionPenalty = 1.5f, Seed = (1UL << 53) - 1, MaxTokens = 9 };
        Assert.Equal(expected, xc2.Client.LastOptions! with { Stop = expected.Stop });
        Assert.Equal(["END", "\n\n"], xc2.Client.LastOptions!.Stop);
        Assert.Equal([Picture, Picture], xc2.Client.History[0].Question.Images.Select(image => image.Name));
    }

    [Fact]
    public async Task Defaults_are_those_of_the_engine()
    {
        using CliHarness xc2 = new();

        await xc2.RunAsync("chat", "hi");
        Assert.Equal(new EngineOptions { ModelPath = "model-of-variable", Fit = true }, Asked(xc2));
        Assert.Equal(new GenerationOptions { Stop = xc2.Client.LastOptions!.Stop }, xc2.Client.LastOptions);
        Assert.Empty(xc2.Client.LastOptions!.Stop);
    }

    [Fact]
    public async Task Missing_model_uses_the_demo_and_tells_a_terminal()
    {
        using CliHarness piped = new(), terminal = new() { IsTerminal = true };
        piped.Variables.Clear();
        terminal.Variables["XC2_MODEL"] = "";
        await piped.RunAsync("chat", "hi");
        await terminal.RunAsync("chat", "hi");

        Assert.Equal(TestPaths.Repository("tools/demo/checkpoint"), piped.LoadedWith!.ModelPath);
        Assert.Equal("", piped.Error);
        Assert.Equal("No --model: using the tiny demo, which knows only coloured shapes.\n", terminal.Error);
    }

    [Fact]
    public void Missing_model_and_demo_is_a_usage_error()
    {
        UsageException error = Assert.Throws<UsageException>(() => ModelFolder.Choose(null, _ => null, Path.GetTempPath()));
        Assert.Contains("--model", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_is_one_object_with_stable_names()
    {
        using CliHarness xc2 = new() { Client = new ScriptedChatClient((_, _) => ScriptedChatClient.Pieces("一", "\"2\"")) { FinishReason = FinishReason.Length } };

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat", "--json", "--seed", "9007199254740991", "hi"));
        Assert.Equal(
            """
            {"text":"一\"2\"","finish_reason":"length","token_ids":[5,6,7],"usage":{"prompt_tokens":40,"image_tokens":36,"cached_tokens":1,"completion_tokens":3},"seed":9007199254740991,"timings":{"load":12.346,"image_decode":1,"vision":2,"prefill":3,"decode":4,"per_token":2},"model":"scripted model","device":"no device"}

            """,
            xc2.Output);
        Assert.Equal("", xc2.Error);
        using JsonDocument parsed = JsonDocument.Parse(xc2.Output);
    }

    [Fact]
    public async Task Json_requires_a_prompt()
    {
        using CliHarness xc2 = new() { IsTerminal = true };

        Assert.Equal(ExitCode.Usage, await xc2.RunAsync("chat", "--json"));
        Assert.StartsWith("xc2: --json needs a PROMPT", xc2.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nope.png", "xc2: nope.png: no such file\n")]
    [InlineData("/", "xc2: /: is a folder, not a picture\n")]
    public async Task Missing_picture_is_reported_before_the_model_is_loaded(string path, string message)
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("chat", "--image", path, "hi"));
        Assert.Equal((message, ""), (xc2.Error, xc2.Output));
        Assert.Null(xc2.LoadedWith);
    }

    [Theory]
    [MemberData(nameof(ExpectedFailures), DisableDiscoveryEnumeration = true)]
    public async Task Failure_is_one_line(Exception failure, string message)
    {
        using CliHarness loading = new() { LoadError = failure }, answering = new() { Client = new ScriptedChatClient((_, _) => throw failure) };
        foreach (CliHarness xc2 in (CliHarness[])[loading, answering])
        {
            Assert.Equal(ExitCode.Failed, await xc2.RunAsync("chat", "hi"));
            Assert.Equal(($"xc2: {message}\n", ""), (xc2.Error, xc2.Output));
        }

        Assert.True(answering.Client.IsDisposed);
    }

    [Fact]
    public async Task Verbose_adds_the_stack_trace()
    {
        using CliHarness xc2 = new() { Client = new ScriptedChatClient((_, _) => throw new InvalidCastException("a bug")) };

        await xc2.RunAsync("--verbose", "chat", "hi");
        Assert.Contains("   at XComposer2.Native", xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verbose_shows_the_device_and_times_on_standard_error()
    {
        using CliHarness xc2 = new();

        await xc2.RunAsync("chat", "--verbose", "hi");
        Assert.Equal("you said hi\n", xc2.Output);
        string[] lines = xc2.Error.Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.Equal(xc2.Client.Info.Device, lines[0]);
        Assert.Equal("prompt 40 tokens (36 of pictures, 1 cached), answer 3, seed 99; pictures 1.0 ms, vision 2.0 ms, prefill 3.0 ms, decode 4.0 ms (2.0 ms a token)", lines[1]);
        Assert.Equal("3 tokens, 0.01 s in all, 500.0 tokens/s, finish reason stop", lines[2]);
    }

    [Fact]
    public async Task Ctrl_C_keeps_the_answer_so_far()
    {
        Interrupts? interrupts = null;
        using CliHarness xc2 = new() { Client = new ScriptedChatClient((_, token) => ScriptedChatClient.Endless("so far", () => Assert.True(interrupts!.Interrupt()), token)) };
        interrupts = xc2.Interrupts;

        Assert.Equal(ExitCode.Interrupted, await xc2.RunAsync("chat", "hi"));
        Assert.Equal(("so far\n", ""), (xc2.Output, xc2.Error));
        Assert.True(xc2.Client.IsDisposed);
        Assert.False(xc2.Interrupts.Interrupt(), "a second Ctrl-C is left to the system");
    }

    [Fact]
    public async Task Closed_pipe_stops_the_answer_without_a_message()
    {
        using CliHarness xc2 = new() { OutputWriter = new FailingWriter(() => new ClosedPipeException()), Client = new ScriptedChatClient((_, token) => ScriptedChatClient.Endless("so far", () => { }, token)) };

        Assert.Equal(ExitCode.ClosedPipe, await xc2.RunAsync("chat", "hi"));
        Assert.Equal("", xc2.Error);
    }

    [Fact]
    public async Task Full_disk_is_reported()
    {
        using CliHarness xc2 = new() { OutputWriter = new FailingWriter(() => new IOException("standard output: No space left on device")) };

        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("chat", "hi"));
        Assert.Equal("xc2: standard output: No space left on device\n", xc2.Error);
    }

    [Fact]
    public async Task Control_characters_are_replaced_on_a_terminal_and_kept_in_a_pipe()
    {
        using CliHarness terminal = new() { IsTerminal = true, Client = ScriptedChatClient.Saying("a\e[2J\tb\r\n") }, piped = new() { Client = ScriptedChatClient.Saying("a\e[2J\tb\r\n") };
        await terminal.RunAsync("chat", "hi");
        await piped.RunAsync("chat", "hi");

        Assert.Equal("a\uFFFD[2J\tb\uFFFD\n", terminal.Output);
        Assert.Equal("a\e[2J\tb\r\n", piped.Output);
    }

    [Theory]
    [InlineData(true, "3", "--max-tokens 3 is reached")]
    [InlineData(false, "3", "--max-tokens 3 is reached")]
    [InlineData(false, "4", "the context is full, a longer --context is needed")]
    public async Task Truncated_answer_is_reported_on_standard_error(bool isTerminal, string maxTokens, string why)
    {
        using CliHarness xc2 = new() { IsTerminal = isTerminal, Client = new ScriptedChatClient((_, _) => ScriptedChatClient.Pieces("a")) { FinishReason = FinishReason.Length } };

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat", "--max-tokens", maxTokens, "hi"));
        Assert.Equal(("a\n", $"xc2: the answer is cut off after 3 tokens: {why}\n"), (xc2.Output, xc2.Error));
    }

    // Without the program's own listeners.
    private static EngineOptions Asked(CliHarness xc2) => xc2.LoadedWith! with { Progress = null, Notice = null };
}

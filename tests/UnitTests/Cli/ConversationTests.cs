using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ConversationTests : IDisposable
{
    private const string Greeting = "scripted model; no device. /help lists the commands.\n";

    private readonly string folder = Directory.CreateTempSubdirectory("xc2-chat-").FullName;

    private static string Picture => TestPaths.Repository("tools/demo/pictures/shapes-1.png");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Lines_are_messages_until_the_input_ends()
    {
        using CliHarness xc2 = Typed("one", "", "two words");

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat"));
        Assert.Equal("you said one\nyou said two words\n", xc2.Output);
        Assert.Equal(Greeting + "> > > > \n", xc2.Error);
    }

    [Theory]
    [InlineData("/exit")]
    [InlineData("/quit")]
    [InlineData("/bye ")]
    public async Task Exit_ends_the_chat(string command)
    {
        using CliHarness xc2 = Typed(command, "never said");

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat"));
        Assert.Equal(("", Greeting + "> "), (xc2.Output, xc2.Error));
    }

    [Fact]
    public async Task Help_lists_every_command()
    {
        using CliHarness xc2 = Typed("/help");

        await xc2.RunAsync("chat");
        foreach (string command in (string[])["/image FILE", "/images", "/regenerate", "/system [TEXT]", "/set [NAME VALUE]", "/info", "/reset", "/save FILE", "/load FILE", "/help", "/exit, /quit, /bye", "Ctrl-R"])
            Assert.Contains(command, xc2.Error, StringComparison.Ordinal);
        Assert.All(xc2.Error.Split('\n'), line => Assert.InRange(line.Length, 0, 80));
    }

    [Theory]
    [InlineData("/foo bar", "xc2: there is no command /foo; /help lists them")]
    [InlineData("/imgae x", "xc2: there is no command /imgae; did you mean /image?; /help lists them")]
    [InlineData("/image", "xc2: /image needs a file")]
    [InlineData("/images remove 1", "xc2: no picture is waiting")]
    [InlineData("/images foo", "xc2: /images lists the pictures; /images remove N or all removes waiting ones")]
    [InlineData("/regenerate", "xc2: there is no answer yet")]
    [InlineData("/set temprature 1", "xc2: there is no setting 'temprature'; did you mean temperature?; /set lists them")]
    [InlineData("/set top-p 2", "xc2: top-p must be a number over 0, at most 1, not '2'")]
    [InlineData("/set greedy yes", "xc2: greedy must be on or off, not 'yes'")]
    [InlineData("/load", "xc2: /load needs a file that /save has written, ending in .json")]
    [InlineData("/load none.json", "xc2: none.json: no such file")]
    [InlineData("/image no such.png", "xc2: no such.png: no such file")]
    [InlineData("/save", "xc2: /save needs a file, ending in .md or .json")]
    [InlineData("/save x.md", "xc2: there is nothing to save yet")]
    [InlineData("<ImageHere>", "xc2: the prompt has 1 place for a picture (<ImageHere>), and there are 0 pictures")]
    public async Task Failed_command_is_reported_and_the_chat_continues(string line, string message)
    {
        using CliHarness xc2 = Typed(line, "still there?");

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat"));
        Assert.Equal("you said still there?\n", xc2.Output);
        Assert.Equal($"{Greeting}> {message}\n> > \n", xc2.Error);
    }

    [Fact]
    public async Task Pictures_are_sent_with_the_next_message_only()
    {
        using CliHarness xc2 = Typed($"/image {Picture}", $"/image '{Picture}'", "both", "none");

        await xc2.RunAsync("chat", "--image", Picture);
        Assert.Equal([3, 0], xc2.Client.History.Select(turn => turn.Question.Images.Count));
        Assert.Equal(Greeting + "(1 picture) > (2 pictures) > (3 pictures) > > > \n", xc2.Error);
    }

    [Fact]
    public async Task Failed_message_keeps_the_chat_and_its_pictures()
    {
        using CliHarness xc2 = new()
        {
            IsTerminal = true, Input = $"/image {Picture}\nfail\nagain\n",
            Client = new ScriptedChatClient((message, _) => message.Text == "fail" ? throw new EngineException("too long") : ScriptedChatClient.Pieces("fine")),
        };

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat"));
        Assert.Contains("> xc2: too long\n(1 picture) > ", xc2.Error, StringComparison.Ordinal);
        Assert.Single(Assert.Single(xc2.Client.History).Question.Images);
    }

    [Fact]
    public async Task Damaged_picture_is_not_sent_again()
    {
        using CliHarness xc2 = new()
        {
            IsTerminal = true, Input = $"/image {Picture}\nlook\nagain\n",
            Client = new ScriptedChatClient((message, _) => message.Images.Count > 0 ? throw new ImageException("shapes-1.png: damaged") : ScriptedChatClient.Pieces("fine")),
        };

        await xc2.RunAsync("chat");
        Assert.Contains("xc2: shapes-1.png: damaged\nNo picture is waiting any more.\n> ", xc2.Error, StringComparison.Ordinal);
        Assert.Equal("fine\n", xc2.Output);
    }

    [Fact]
    public async Task Ctrl_C_stops_the_answer_and_keeps_what_was_said()
    {
        Interrupts? interrupts = null;
        int answers = 0;
        using CliHarness xc2 = new()
        {
            IsTerminal = true, Input = "one\ntwo\n",
            Client = new ScriptedChatClient((_, token) => answers++ == 0 ? ScriptedChatClient.Endless("so far", () => interrupts!.Interrupt(), token) : ScriptedChatClient.Pieces("whole")),
        };
        interrupts = xc2.Interrupts;

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat"));
        Assert.Equal("so far\nwhole\n", xc2.Output);
        Assert.Contains("(stopped; the conversation keeps the answer so far, /regenerate replaces it)\n> ", xc2.Error, StringComparison.Ordinal);
        Assert.Equal([FinishReason.Stopped, FinishReason.Stop], xc2.Client.History.Select(turn => turn.Answer.FinishReason));
        Assert.Equal("so far", xc2.Client.History[0].Answer.Text);
    }

    [Fact]
    public async Task Answer_stopped_before_its_first_word_keeps_its_pictures_waiting()
    {
        Interrupts? interrupts = null;
        using CliHarness xc2 = new()
        {
            IsTerminal = true, Input = "one\n",
            Client = new ScriptedChatClient((_, token) => ScriptedChatClient.Endless("", () => interrupts!.Interrupt(), token)),
        };
        interrupts = xc2.Interrupts;

        await xc2.RunAsync("chat", "--image", Picture);
        Assert.Contains("(stopped; the conversation is as it was before)\n(1 picture) > ", xc2.Error, StringComparison.Ordinal);
        Assert.Empty(xc2.Client.History);
    }

    [Fact]
    public async Task Ctrl_C_at_the_prompt_warns_first_and_then_leaves()
    {
        using CliHarness xc2 = new() { IsTerminal = true, Keys = new Keyboard([new(KeyKind.Interrupt), new(KeyKind.Interrupt)]) };
        xc2.Variables["XC2_HISTORY"] = "off";

        Assert.Equal(ExitCode.Interrupted, await xc2.RunAsync("chat"));
        Assert.Equal(2, xc2.Error.Split("(Ctrl-C again, or Ctrl-D, leaves)\n").Length);
        Assert.Equal("", xc2.Output);
    }

    [Fact]
    public async Task Ctrl_C_that_discards_a_text_or_follows_a_message_is_a_first_one()
    {
        Key typed = new(KeyKind.Text, "a"), interrupt = new(KeyKind.Interrupt), enter = new(KeyKind.Enter);
        using CliHarness xc2 = new() { IsTerminal = true, Keys = new Keyboard([interrupt, typed, interrupt, typed, enter, interrupt, typed, enter, new(KeyKind.EndOfInput)]) };
        xc2.Variables["XC2_HISTORY"] = "off";

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat"));
        Assert.Equal(4, xc2.Error.Split("(Ctrl-C again, or Ctrl-D, leaves)\n").Length);
        Assert.Equal("you said a\nyou said a\n", xc2.Output);
    }

    [Fact]
    public async Task Signal_at_the_prompt_warns_first_and_then_leaves()
    {
        using CliHarness xc2 = new() { IsTerminal = true, InputReader = new WaitingReader(out Task waiting) };
        Task<int> run = xc2.RunAsync("chat");
        await waiting;
        Assert.True(xc2.Interrupts.Interrupt());
        Assert.False(run.IsCompleted);
        Assert.True(xc2.Interrupts.Interrupt());

        Assert.Equal(ExitCode.Interrupted, await run);
        Assert.Equal(Greeting + "> (Ctrl-C again, or Ctrl-D, leaves)\n\n", xc2.Error);
    }

    [Theory]
    [InlineData("one\ntwo\n", "\"\"\"one", "two\"\"\"")]
    [InlineData("one\ntwo\n", "one\\", "two")]
    [InlineData("one\n\n  two\n", "\"\"\"", "one", "", "  two", "\"\"\"")]
    public async Task Message_may_have_several_lines(string said, params string[] lines)
    {
        using CliHarness xc2 = Typed(lines);

        await xc2.RunAsync("chat");
        Assert.Equal("you said " + said, xc2.Output);
        Assert.Contains("> ... ", xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Regenerate_replaces_the_answer_with_another_seed()
    {
        int answers = 0;
        using CliHarness xc2 = new()
        {
            IsTerminal = true, Input = "one\n/regenerate\n",
            Client = new ScriptedChatClient((_, _) => ScriptedChatClient.Pieces($"answer {++answers}")),
        };

        await xc2.RunAsync("chat", "--seed", "3");
        ChatExchange turn = Assert.Single(xc2.Client.History);
        Assert.Equal(("one", "answer 2"), (turn.Question.Text, turn.Answer.Text));
        Assert.Null(xc2.Client.LastOptions!.Seed);
    }

    [Fact]
    public async Task System_text_is_shown_and_changed()
    {
        using CliHarness xc2 = Typed("/system", "/system \"\"\"be", "brief\"\"\"", "/system", "/system none", "/system", "/system default");

        await xc2.RunAsync("chat");
        Assert.Contains("> The system text is the prompt style's own.\n", xc2.Error, StringComparison.Ordinal);
        Assert.Contains("> ... The system text applies from the next message on.\n> be\nbrief\n", xc2.Error, StringComparison.Ordinal);
        Assert.Contains("> There is no system text.\n", xc2.Error, StringComparison.Ordinal);
        Assert.Null(xc2.Client.System);
    }

    [Fact]
    public async Task Settings_are_shown_and_changed()
    {
        using CliHarness xc2 = Typed("/set temperature 0.5", "/set top-p 0.25", "/set top-k 7", "/set repetition-penalty 1.5", "/set beams 2", "/set seed 12", "/set max-tokens 9", "/set verbose on", "/set", "one", "/set temperature 0", "two");

        await xc2.RunAsync("chat");
        foreach (string line in (string[])["temperature         0.5", "top-p               0.25", "top-k               7", "greedy              off", "repetition-penalty  1.5", "beams               2", "seed                12", "max-tokens          9", "verbose             on"])
            Assert.Contains($"\n  {line}\n", xc2.Error.Replace("> ", "\n", StringComparison.Ordinal), StringComparison.Ordinal);
        GenerationOptions expected = new() { Greedy = true, Temperature = 0.5f, TopP = 0.25f, TopK = 7, RepetitionPenalty = 1.5f, Beams = 2, Seed = 12, MaxTokens = 9 };
        Assert.Equal(expected, xc2.Client.LastOptions! with { Stop = expected.Stop });
        Assert.Contains("finish reason stop", xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Info_tells_the_model_and_how_full_the_context_is()
    {
        using CliHarness xc2 = Typed("one", $"/image {Picture}", "/info");

        await xc2.RunAsync("chat", "--system", "be brief");
        foreach (string part in (string[])["scripted model", "no device", "43 of 2048 tokens, 1 turn", "0 sent, 1 waiting; 36 tokens each", "temperature 1", "not kept"])
            Assert.Contains(part, xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pictures_are_listed_and_removed()
    {
        using CliHarness xc2 = Typed("/images", $"/image {Picture}", $"/image {Picture}", "/images remove 3", "/images remove 1", "/images", "one", "/images", $"/image {Picture}", "/images remove all");

        await xc2.RunAsync("chat");
        Assert.Contains("> There are no pictures; /image FILE adds one.\n", xc2.Error, StringComparison.Ordinal);
        Assert.Contains("xc2: /images remove needs a number, 1 to 2, or all\n", xc2.Error, StringComparison.Ordinal);
        Assert.Contains($"(2 pictures) > Removed {Picture}.\n(1 picture) >   1  {Picture} (", xc2.Error, StringComparison.Ordinal);
        Assert.Contains($">      {Picture}, sent with message 1\n", xc2.Error, StringComparison.Ordinal);
        Assert.EndsWith("(1 picture) > No picture is waiting any more.\n> \n", xc2.Error, StringComparison.Ordinal);
        Assert.Single(Assert.Single(xc2.Client.History).Question.Images);
    }

    [Fact]
    public async Task Saved_conversation_can_be_loaded_with_its_pictures_and_its_stopped_answers()
    {
        Interrupts? interrupts = null;
        string path = Path.Combine(folder, "chat.json"), markdown = Path.Combine(folder, "chat.md");
        File.Copy(Picture, Path.Combine(folder, "own.png"));
        using CliHarness saving = new()
        {
            IsTerminal = true, Input = $"/image {folder}/own.png\none\n/save {path}\n/save {markdown}\n",
            Client = new ScriptedChatClient((_, token) => ScriptedChatClient.Endless("so far", () => interrupts!.Interrupt(), token)) { System = "be brief" },
        };
        interrupts = saving.Interrupts;
        await saving.RunAsync("chat");
        Assert.Contains("so far\n\n*(stopped)*\n", File.ReadAllText(markdown), StringComparison.Ordinal);
        File.WriteAllText(path, File.ReadAllText(path).Replace($"{folder}/own.png", "own.png", StringComparison.Ordinal));

        using CliHarness loading = Typed($"/load {path}", "two");
        await loading.RunAsync("chat");
        Assert.Contains($"> Loaded 1 turn from {path}.\n", loading.Error, StringComparison.Ordinal);
        Assert.Equal(["one", "two"], loading.Client.History.Select(turn => turn.Question.Text));
        Assert.Equal(("so far", FinishReason.Stopped, "be brief"), (loading.Client.History[0].Answer.Text, loading.Client.History[0].Answer.FinishReason, loading.Client.System));
        Assert.EndsWith("own.png", Assert.Single(loading.Client.History[0].Question.Images).Name, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "expected a conversation in JSON, as /save writes it")]
    [InlineData("{}", "turns: expected 1 to 10000, found 0")]
    [InlineData("""{"turns":[{"answer":"x"}]}""", "turns[0]: expected a question and an answer")]
    [InlineData("""{"turns":[null]}""", "turns[0]: expected a question and an answer")]
    [InlineData("""{"turns":[{"question":"x","answer":"y","images":["none.png"]}]}""", "none.png: no such file")]
    [InlineData("""{"turns":[{"question":"x","answer":"y","images":["standard input"]}]}""", "a picture came from standard input, which is not saved")]
    [InlineData("""{"turns":[{"question":"x","answer":"y","images":["https://example.com/cat.png"]}]}""", "addresses in a file are not connected to")]
    public async Task Failed_load_keeps_the_conversation(string content, string message)
    {
        string path = Path.Combine(folder, "chat.json");
        File.WriteAllText(path, content);
        using CliHarness xc2 = Typed("one", $"/load {path}");

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat"));
        Assert.Contains(message, xc2.Error, StringComparison.Ordinal);
        Assert.Equal("one", Assert.Single(xc2.Client.History).Question.Text);
    }

    [Fact]
    public async Task Full_context_says_what_to_do()
    {
        using CliHarness full = new() { IsTerminal = true, Input = "one\n", Client = new ScriptedChatClient((_, _) => throw new ContextFullException(9, 8)) };
        using CliHarness cut = new() { IsTerminal = true, Input = "one\n/set max-tokens 3\ntwo\n", Client = new ScriptedChatClient((_, _) => ScriptedChatClient.Pieces("a")) { FinishReason = FinishReason.Length } };
        await full.RunAsync("chat");
        await cut.RunAsync("chat");

        Assert.Contains("the context is 8 tokens and must hold at least one of the answer; /reset forgets the conversation, and xc2 chat --context N starts one with more room\n", full.Error, StringComparison.Ordinal);
        Assert.Contains("(cut off after 3 tokens: the context is full, /reset forgets the conversation)\n", cut.Error, StringComparison.Ordinal);
        Assert.Contains("(cut off after 3 tokens: /set max-tokens N allows longer answers)\n", cut.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "chat")]
    [InlineData(true, "chat", "--no-history")]
    public async Task History_is_kept_between_runs_unless_it_is_switched_off(bool isOff, params string[] args)
    {
        string path = Path.Combine(folder, "history");
        foreach (string text in (string[])["a", "b"])
        {
            using CliHarness xc2 = new() { IsTerminal = true, Keys = new Keyboard([new(KeyKind.Text, text), new(KeyKind.Enter), new(KeyKind.EndOfInput)]) };
            xc2.Variables["XC2_HISTORY"] = path;
            await xc2.RunAsync(args);
        }

        Assert.Equal(isOff ? null : "a\nb\n", File.Exists(path) ? File.ReadAllText(path) : null);
        using CliHarness recalling = new() { IsTerminal = true, Keys = new Keyboard([new(KeyKind.Up), new(KeyKind.Up), new(KeyKind.Enter), new(KeyKind.EndOfInput)]) };
        recalling.Variables["XC2_HISTORY"] = path;
        await recalling.RunAsync(args);
        Assert.Equal(isOff ? "" : "you said a\n", recalling.Output);
    }

    [Theory]
    [InlineData("/im", "/image ", "/images ")]
    [InlineData("/b", "/bye")]
    [InlineData("/set t", "temperature ", "top-k ", "top-p ")]
    [InlineData("/set greedy o", "off", "on")]
    [InlineData("/images ", "remove ", "remove all")]
    [InlineData("/image FOLDER/", "FOLDER/a b.png", "FOLDER/chat.json", "FOLDER/inner/")]
    [InlineData("/image FOLDER/a", "FOLDER/a b.png")]
    [InlineData("/image 'FOLDER/a", "'FOLDER/a b.png")]
    [InlineData("/image FOLDER/.", "FOLDER/.hidden")]
    [InlineData("/load FOLDER/", "FOLDER/chat.json", "FOLDER/inner/")]
    [InlineData("/load ~", "~/")]
    [InlineData("/help x")]
    [InlineData("a message FOLDER/")]
    public void Tab_completes_commands_and_paths(string typed, params string[] candidates)
    {
        Directory.CreateDirectory(Path.Combine(folder, "inner"));
        foreach (string name in (string[])["a b.png", "chat.json", ".hidden"])
            File.WriteAllText(Path.Combine(folder, name), "");

        Completion? completion = new ChatCompleter().Complete(typed.Replace("FOLDER", folder, StringComparison.Ordinal));
        Assert.Equal(candidates.Select(candidate => candidate.Replace("FOLDER", folder, StringComparison.Ordinal)), completion?.Candidates ?? []);
    }

    [Fact]
    public async Task Reset_clears_the_conversation()
    {
        using CliHarness xc2 = Typed("one", "/reset", "/save x.md");

        await xc2.RunAsync("chat");
        Assert.Contains("> The conversation is forgotten.\n> xc2: there is nothing to save yet\n", xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_writes_json()
    {
        string path = Path.Combine(folder, "a chat.JSON");
        using CliHarness xc2 = Typed($"/image {Picture}", "one 一", $"/save {path}");

        await xc2.RunAsync("chat", "--system", "be brief", "--seed", "3");
        Assert.Contains($"Saved 1 turn to {path}.\n", xc2.Error, StringComparison.Ordinal);
        using JsonDocument saved = JsonDocument.Parse(File.ReadAllText(path));
        JsonElement turn = saved.RootElement.GetProperty("turns")[0];
        Assert.Equal(("scripted model", "be brief"), (saved.RootElement.GetProperty("model").GetString(), saved.RootElement.GetProperty("system").GetString()));
        Assert.Equal(("one 一", "you said one 一", "stop"), (turn.GetProperty("question").GetString(), turn.GetProperty("answer").GetString(), turn.GetProperty("finish_reason").GetString()));
        Assert.Equal(Picture, turn.GetProperty("images")[0].GetString());
        Assert.Equal(3ul, turn.GetProperty("seed").GetUInt64());
        Assert.Equal([path], Directory.GetFiles(folder));
    }

    [Fact]
    public async Task Save_overwrites_existing_markdown()
    {
        string path = Path.Combine(folder, "chat.md"), link = Path.Combine(folder, "link.md");
        File.WriteAllText(path, "old");
        File.CreateSymbolicLink(link, path);
        using CliHarness xc2 = Typed("one", "two", $"/save {link}");

        await xc2.RunAsync("chat");
        Assert.Equal("# Conversation with scripted model\n\n**You**\n\none\n\n**Model**\n\nyou said one\n\n**You**\n\ntwo\n\n**Model**\n\nyou said two\n\n", File.ReadAllText(path));
        Assert.Equal(path, File.ResolveLinkTarget(link, returnFinalTarget: false)!.FullName);
    }

    [Fact]
    public async Task Failed_save_leaves_no_file_and_the_chat_continues()
    {
        string inTheWay = Path.Combine(folder, "folder.md");
        Directory.CreateDirectory(inTheWay);
        using CliHarness xc2 = Typed("one", $"/save {inTheWay}", $"/save {folder}/none/x.md", $"/save {folder}/x.txt", "two");

        await xc2.RunAsync("chat");
        Assert.Contains($"xc2: {inTheWay}: is a folder\n", xc2.Error, StringComparison.Ordinal);
        Assert.Contains("xc2: the file name has to end in .md or .json\n", xc2.Error, StringComparison.Ordinal);
        Assert.Equal(2, xc2.Client.History.Count);
        Assert.Equal([inTheWay], Directory.GetFileSystemEntries(folder));
    }

    private sealed class Keyboard(Key[] keys) : IKeySource
    {
        private int next;

        public void Begin()
        {
        }

        public void End()
        {
        }

        public void Suspend()
        {
        }

        public bool IsWaiting(TimeSpan time) => false;

        public Key Read() => keys[next++];
    }

    /// <summary>A terminal at which nothing is typed.</summary>
    private sealed class WaitingReader : TextReader
    {
        private readonly TaskCompletionSource waiting = new();

        public WaitingReader(out Task waiting) => waiting = this.waiting.Task;

        public override string? ReadLine()
        {
            waiting.SetResult();
            Thread.Sleep(Timeout.Infinite);
            return null;
        }
    }

    private static CliHarness Typed(params string[] lines) => new() { IsTerminal = true, Input = string.Join('\n', lines) + "\n" };
}

using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ConversationTests : IDisposable
{
    private const string Greeting = "scripted model, no device. /help lists the commands.\n";

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

    [Fact]
    public async Task Exit_ends_the_chat()
    {
        using CliHarness xc2 = Typed("/exit", "never said");

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat"));
        Assert.Equal(("", Greeting + "> "), (xc2.Output, xc2.Error));
    }

    [Fact]
    public async Task Help_lists_every_command()
    {
        using CliHarness xc2 = Typed("/help");

        await xc2.RunAsync("chat");
        foreach (string command in (string[])["/image FILE", "/reset", "/save FILE", "/help", "/exit"])
            Assert.Contains(command, xc2.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/foo bar", "xc2: there is no command /foo; /help lists them")]
    [InlineData("/image", "xc2: /image needs a file")]
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
    public async Task Ctrl_C_stops_the_answer_or_at_the_prompt_the_program()
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
        Assert.Contains("(stopped; the conversation is as it was before)\n> ", xc2.Error, StringComparison.Ordinal);
        Assert.Single(xc2.Client.History);

        Assert.True(interrupts.Interrupt());
        using CliHarness left = new() { IsTerminal = true, Input = "never read" };
        Assert.True(left.Interrupts.Interrupt());
        Assert.Equal(ExitCode.Interrupted, await left.RunAsync("chat"));
        Assert.Equal("", left.Output);
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

    private static CliHarness Typed(params string[] lines) => new() { IsTerminal = true, Input = string.Join('\n', lines) + "\n" };
}

using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class InputHistoryTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("xc2-history-").FullName;

    private string File => Path.Combine(folder, "state", "xc2", "history");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Texts_outlive_the_process_and_are_private()
    {
        InputHistory first = InputHistory.Open(File);
        foreach (string text in (string[])["one", "two\nlines \\n", "two\nlines \\n", "  hidden", " ", "三"])
            first.Add(text);

        Assert.Equal(["one", "two\nlines \\n", "三"], InputHistory.Open(File).Entries);
        Assert.Null(first.Problem);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, System.IO.File.GetUnixFileMode(Path.GetDirectoryName(File)!));
        }
    }

    [Fact]
    public void File_of_others_becomes_private()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, "old\n");
        if (!OperatingSystem.IsWindows())
            System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        InputHistory.Open(File).Add("new");

        Assert.Equal("old\nnew\n", System.IO.File.ReadAllText(File));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
    }

    [Fact]
    public void Number_of_texts_and_their_length_are_bounded()
    {
        InputHistory history = InputHistory.Open(File);
        history.Add(new string('x', InputHistory.MaximumCharacters + 1));
        for (int index = 0; index < (2 * InputHistory.MaximumEntries) + 1; index++)
            history.Add($"{index}");
        Assert.Equal(InputHistory.MaximumEntries, history.Entries.Count);
        Assert.Equal((2 * InputHistory.MaximumEntries) + 1, System.IO.File.ReadAllLines(File).Length);

        Assert.Equal(history.Entries, InputHistory.Open(File).Entries);
        Assert.Equal(InputHistory.MaximumEntries, System.IO.File.ReadAllLines(File).Length);
        Assert.Equal([File], Directory.GetFiles(Path.GetDirectoryName(File)!));
    }

    [Fact]
    public void Unusable_file_leaves_a_history_of_this_process()
    {
        InputHistory history = InputHistory.Open(folder + "/state/\0");
        history.Add("one");
        InputHistory folderInTheWay = InputHistory.Open(folder);
        folderInTheWay.Add("two");

        Assert.Equal(["one"], history.Entries);
        Assert.Equal(["two"], folderInTheWay.Entries);
        Assert.NotNull(folderInTheWay.Problem);
        Assert.Null(folderInTheWay.Path);
    }

    [Fact]
    public void File_lies_in_the_state_folder_and_can_be_switched_off()
    {
        Assert.Equal("/somewhere/xc2/history", InputHistory.DefaultPath(name => name == "XDG_STATE_HOME" ? "/somewhere" : null));
        Assert.Equal("own", InputHistory.DefaultPath(name => name == "XC2_HISTORY" ? "own" : null));
        Assert.Null(InputHistory.DefaultPath(name => name == "XC2_HISTORY" ? "off" : null));
        if (OperatingSystem.IsLinux())
            Assert.EndsWith("/.local/state/xc2/history", InputHistory.DefaultPath(_ => null), StringComparison.Ordinal);

        InputHistory off = InputHistory.Open(null);
        off.Add("one");
        InputHistory detached = InputHistory.Open(File);
        detached.Detach();
        detached.Add("two");
        Assert.Equal(["one"], off.Entries);
        Assert.False(System.IO.File.Exists(File));
    }
}

public sealed class MessageSyntaxTests
{
    [Theory]
    [InlineData("one", false)]
    [InlineData("one\\", true)]
    [InlineData("one\\\\", false)]
    [InlineData("/image C:\\pictures\\", false)]
    [InlineData("\"\"\"one", true)]
    [InlineData("\"\"\"", true)]
    [InlineData("\"\"\"one\"\"\"", false)]
    [InlineData("\"\"\"one\ntwo\"\"\" ", false)]
    [InlineData("say \"\"\" twice", false)]
    [InlineData("/system \"\"\"one", true)]
    public void Open_texts_continue(string text, bool continues) => Assert.Equal(continues, MessageSyntax.Continues(text));

    [Theory]
    [InlineData("one", "one")]
    [InlineData("\"\"\"one\"\"\"", "one")]
    [InlineData("\"\"\"\none\n  two\n\"\"\"", "one\n  two")]
    [InlineData("\"\"\"never closed", "never closed")]
    [InlineData("/system \"\"\"\none\ntwo\n\"\"\"", "/system one\ntwo")]
    [InlineData("say \"\"\"this\"\"\"", "say \"\"\"this\"\"\"")]
    public void Fences_are_removed(string text, string message) => Assert.Equal(message, MessageSyntax.Unfence(text));
}

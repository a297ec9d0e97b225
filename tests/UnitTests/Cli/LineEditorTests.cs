using System.Text;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class LineEditorTests
{
    private const ConsoleKey Left = ConsoleKey.LeftArrow, Right = ConsoleKey.RightArrow, Up = ConsoleKey.UpArrow, Down = ConsoleKey.DownArrow;
    private const ConsoleKey Home = ConsoleKey.Home, End = ConsoleKey.End, Backspace = ConsoleKey.Backspace, Delete = ConsoleKey.Delete;

    public static TheoryData<string, object[]> Edits => new()
    {
        { "hello", ["hello"] },
        { "heXlo", ["hello", Left, Left, Backspace, "X"] },
        { "hllo", ["hello", Home, Right, Delete] },
        { "ab", [Left, Backspace, Delete, "b", Home, Left, "a", End, Right] },
        { "描星", ["描述图", Backspace, Backspace, "星"] },
        { "a😀c", ["a😀b", Backspace, "c"] },
        { "ac", ["a😀c", Left, Backspace] },
        { "one ", ["one two", "\x17"] },
        { "one ", ["one two  ", "\x17"] },
        { "two", ["one two", Home, Right, Right, Right, Right, "\x15"] },
        { "one", ["one two", Left, Left, Left, Left, "\x0B"] },
        { "<one>", ["one", "\x01", "<", "\x05", ">"] },
        { "bc", ["abc", Home, "\x04"] },
        { "ab", ["a\tb\0"] },
    };

    [Theory]
    [MemberData(nameof(Edits), DisableDiscoveryEnumeration = true)]
    public void Keys_edit_the_line(string expected, object[] keys)
    {
        Assert.Equal(expected, new LineEditor(TextWriter.Null, Keys([.. keys, ConsoleKey.Enter]), () => 80).Read("> "));
    }

    [Fact]
    public void Arrows_recall_earlier_lines_without_duplicates()
    {
        LineEditor editor = new(TextWriter.Null, Keys(["one\r", "two\r", "two\r", " \r", Up, Up, Up, "!\r", Up, Up, Down, Down, "new\r"]), () => 80);

        string?[] lines = [.. Enumerable.Range(0, 6).Select(_ => editor.Read("> "))];
        Assert.Equal(["one", "two", "two", " ", "one!", "new"], lines);
    }

    [Fact]
    public void Ctrl_D_ends_the_input_on_an_empty_line_only()
    {
        LineEditor editor = new(TextWriter.Null, Keys(["a\x04\r", "\x04"]), () => 80);

        Assert.Equal("a", editor.Read("> "));
        Assert.Null(editor.Read("> "));
    }

    [Theory]
    [InlineData("abc", 0, 5, 10)]
    [InlineData("一二", 0, 6, 10)]
    [InlineData("12345678", 0, 10, 10)]
    [InlineData("123456789", 1, 1, 10)]
    [InlineData("1234567一", 1, 2, 10)]
    [InlineData("e\u0301", 0, 3, 10)]
    public void Cursor_position_matches_the_terminal(string text, int row, int column, int width)
    {
        EditedLine line = new() { Text = text };

        Assert.Equal((row, column), line.PlaceOfEnd("> ", width));
    }

    [Fact]
    public void Change_in_the_middle_of_two_rows_repaints_both()
    {
        StringWriter screen = new();
        LineEditor editor = new(screen, Keys(["1234567890", Home, "x", ConsoleKey.Enter]), () => 8);

        editor.Read("> ");
        // Typing: two rows, cursor at the end of the second. Home: first row again. Then one more character.
        Assert.EndsWith("\r\e[1A\e[J> 1234567890\r\e[1A\e[2C\r\e[J> x1234567890\r\e[1A\e[3C\r\e[J> x1234567890\r\e[5C\r\n", screen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Full_row_creates_the_next_row()
    {
        StringWriter screen = new();
        new LineEditor(screen, Keys(["123456\r"], isPasted: true), () => 8).Read("> ");

        Assert.Equal("\r\e[J> 123456\r\n\r\r\n", screen.ToString());
    }

    private static ScriptedKeys Keys(object[] keys, bool isPasted = false)
    {
        List<ConsoleKeyInfo> all = [];
        foreach (object key in keys)
        {
            if (key is ConsoleKey special)
                all.Add(new ConsoleKeyInfo('\0', special, false, false, false));
            else
                all.AddRange(((string)key).Select(c => new ConsoleKeyInfo(c, c == '\r' ? ConsoleKey.Enter : ConsoleKey.None, false, false, false)));
        }
        return new ScriptedKeys(all, isPasted);
    }

    private sealed class ScriptedKeys(List<ConsoleKeyInfo> keys, bool isPasted) : IKeySource
    {
        private int next;

        public bool IsWaiting => isPasted && next < keys.Count;

        public ConsoleKeyInfo Read() => keys[next++];
    }
}

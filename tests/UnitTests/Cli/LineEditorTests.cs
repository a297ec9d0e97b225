using System.Text;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class LineEditorTests
{
    private const KeyKind Left = KeyKind.Left, Right = KeyKind.Right, Up = KeyKind.Up, Down = KeyKind.Down, Home = KeyKind.Home, End = KeyKind.End;
    private const KeyKind Backspace = KeyKind.Backspace, Delete = KeyKind.Delete, Enter = KeyKind.Enter, NewLine = KeyKind.NewLine, Tab = KeyKind.Tab;

    public static TheoryData<string, object[]> Edits => new()
    {
        { "hello", ["hello"] },
        { "heXlo", ["hello", Left, Left, Backspace, "X"] },
        { "hllo", ["hello", Home, Right, Delete] },
        { "ab", [Left, Backspace, Delete, "b", Home, Left, "a", End, Right] },
        { "描星", ["描述图", Backspace, Backspace, "星"] },
        { "a😀c", ["a😀b", Backspace, "c"] },
        { "ac", ["a😀c", Left, Backspace] },
        { "one ", ["one two", KeyKind.DeleteWordLeft] },
        { "one ", ["one two  ", KeyKind.DeleteWordLeft] },
        { "one three", ["one two three", KeyKind.WordLeft, KeyKind.WordLeft, KeyKind.DeleteWordRight, Delete] },
        { "one two!", ["one two", Home, KeyKind.WordRight, KeyKind.WordRight, "!"] },
        { "two", ["one two", Home, Right, Right, Right, Right, KeyKind.DeleteToStart] },
        { "one", ["one two", Left, Left, Left, Left, KeyKind.DeleteToEnd] },
        { "<one>", ["one", Home, "<", End, ">"] },
        { "bc", ["abc", Home, KeyKind.EndOfInput] },
        { "ab", ["a", KeyKind.Unknown, KeyKind.Cancel, "b"] },
        { "one\ntwo", ["one", NewLine, "two"] },
        { "one!\ntwo", ["one", NewLine, "two", Up, End, "!"] },
        { "!one\ntwo?", ["one", NewLine, "two", Up, Home, "!", Down, End, "?"] },
        { "one", ["one", NewLine, "two", KeyKind.DeleteToStart, Backspace] },
    };

    [Theory]
    [MemberData(nameof(Edits), DisableDiscoveryEnumeration = true)]
    public void Keys_edit_the_text(string expected, object[] keys) => Assert.Equal(expected, Read([.. keys, Enter]));

    [Fact]
    public void Pasted_lines_are_one_text()
    {
        Assert.Equal("Describe\nthis image.", Read(Pasted("Describe\nthis image."), Enter));
        Assert.Equal("look: a\nb!", Read("look: ", Pasted("a\r\nb"), "!", Enter));
        Assert.Equal("a\tb", Read(Pasted("a\tb\e\0"), Enter));
    }

    [Fact]
    public void Waiting_lines_are_one_text_without_marks_of_a_paste()
    {
        LineEditor editor = new(TextWriter.Null, Keys(["Describe", Enter, "this image.", Enter], isPasted: true), () => (80, 24));
        Assert.Equal("Describe\nthis image.", editor.Read("> ").Text);

        LineEditor commands = new(TextWriter.Null, Keys(["/image a.png", Enter, "What?", Enter], isPasted: true), () => (80, 24));
        Assert.Equal(["/image a.png", "What?"], [commands.Read("> ").Text, commands.Read("> ").Text]);
    }

    [Fact]
    public void Backslash_or_quotation_marks_continue_the_text()
    {
        Assert.Equal("one\ntwo", Read("one\\", Enter, "two", Enter));
        Assert.Equal("\"\"\"one\ntwo\\\n\nthree\"\"\"", Read("\"\"\"one", Enter, "two\\", Enter, Enter, "three\"\"\"", Enter));
        Assert.Equal("one\\\\", Read("one\\\\", Enter));
    }

    [Fact]
    public void Arrows_recall_earlier_texts_without_duplicates_and_keep_the_draft()
    {
        LineEditor editor = new(TextWriter.Null, Keys(["one", Enter, "two", Enter, "two", Enter, " ", Enter, Up, Up, Up, "!", Enter, "new", Up, Up, Down, Down, "er", Enter]), () => (80, 24));

        string[] texts = [.. Enumerable.Range(0, 6).Select(_ => editor.Read("> ").Text)];
        Assert.Equal(["one", "two", "two", " ", "one!", "newer"], texts);
    }

    [Fact]
    public void Search_finds_earlier_texts()
    {
        Assert.Equal("describe b", ReadAfter(["describe a", "describe b", "count"], KeyKind.Search, "scr", Enter));
        Assert.Equal("describe a", ReadAfter(["describe a", "describe b", "count"], KeyKind.Search, "DESC", KeyKind.Search, Enter));
        Assert.Equal("count!", ReadAfter(["count", "other"], KeyKind.Search, "cox", Backspace, End, "!", Enter));
        Assert.Equal("draft", ReadAfter(["count"], "draft", KeyKind.Search, "co", KeyKind.Cancel, Enter));
    }

    [Fact]
    public void Ctrl_D_ends_the_input_on_an_empty_text_only()
    {
        LineEditor editor = new(TextWriter.Null, Keys(["a", KeyKind.EndOfInput, Enter, KeyKind.EndOfInput]), () => (80, 24));

        Assert.Equal(new TypedLine(LineEnd.Entered, "a"), editor.Read("> "));
        Assert.Equal(LineEnd.EndOfInput, editor.Read("> ").End);
    }

    [Fact]
    public void Ctrl_C_gives_up_the_text_and_leaves_it_out_of_the_history()
    {
        LineEditor editor = new(TextWriter.Null, Keys(["a", KeyKind.Interrupt, Up, "b", Enter]), () => (80, 24));

        Assert.Equal(new TypedLine(LineEnd.Interrupted, "a"), editor.Read("> "));
        Assert.Equal("b", editor.Read("> ").Text);
        Assert.Equal(["b"], editor.History.Entries);
    }

    [Fact]
    public void Tab_inserts_what_candidates_have_in_common_and_lists_them()
    {
        StringWriter screen = new();
        LineEditor editor = new(screen, Keys(["/re", Tab, Tab, "g", Tab, Enter]), () => (40, 24)) { Completer = new ChatCompleter() };

        Assert.Equal("/regenerate", editor.Read("> ").Text);
        Assert.Contains("/regenerate  /reset\r\n", screen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Terminal_is_prepared_and_restored()
    {
        StringWriter screen = new();
        ScriptedKeys keys = Keys(["a", Enter, KeyKind.Suspend, "b", Enter]);
        LineEditor editor = new(screen, keys, () => (80, 24));
        editor.Read("> ");
        Assert.StartsWith("\e[?2004h", screen.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("\r\n\e[?2004l", screen.ToString(), StringComparison.Ordinal);
        Assert.Equal((1, 1, 0), (keys.Begun, keys.Ended, keys.Suspended));

        editor.Read("> ");
        Assert.Equal((2, 2, 1), (keys.Begun, keys.Ended, keys.Suspended));
        editor.Close();
        Assert.Equal(LineEnd.EndOfInput, editor.Read("> ").End);
        Assert.Equal((2, 2), (keys.Begun, keys.Ended));
    }

    [Theory]
    [InlineData("abc", 0, 5, 10)]
    [InlineData("一二", 0, 6, 10)]
    [InlineData("12345678", 1, 0, 10)]
    [InlineData("123456789", 1, 1, 10)]
    [InlineData("1234567一", 1, 2, 10)]
    [InlineData("e\u0301", 0, 3, 10)]
    [InlineData("a\nb", 1, 5, 10)]
    [InlineData("a\n", 1, 4, 10)]
    [InlineData("a\n123456\n", 2, 4, 10)]
    [InlineData("a\n123456", 2, 0, 10)]
    [InlineData("a\tb", 0, 8, 10)]
    public void Cursor_position_matches_the_terminal(string text, int row, int column, int width)
    {
        EditBuffer buffer = new() { Text = text };
        EditLayout layout = EditLayout.Of("> ", buffer.Runes, buffer.Cursor, width);

        Assert.Equal((row, column), (layout.CursorRow, layout.CursorColumn));
    }

    [Fact]
    public void Change_in_the_middle_of_two_rows_repaints_both()
    {
        StringWriter screen = new();
        LineEditor editor = new(screen, Keys(["1234567890", Home, "x", Enter]), () => (8, 24));

        editor.Read("> ");
        // Typing: two rows, cursor at the end of the second. Home: first row again. Then one more character.
        Assert.EndsWith("\r\e[1A\e[J> 123456\r\n7890\r\e[1A\e[2C\r\e[J> x12345\r\n67890\r\e[1A\e[3C\r\e[J> x12345\r\n67890\r\n\e[?2004l", screen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Full_row_creates_the_next_row()
    {
        StringWriter screen = new();
        new LineEditor(screen, Keys(["123456", Enter]), () => (8, 24)).Read("> ");

        Assert.EndsWith("\r\e[J> 123456\r\n\r\r\e[1A\e[J> 123456\r\n\e[?2004l", screen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_longer_than_the_screen_is_shown_around_the_cursor()
    {
        StringWriter screen = new();
        string text = string.Join('\n', Enumerable.Range(1, 9));
        new LineEditor(screen, Keys([Pasted(text), KeyKind.Unknown, Enter]), () => (20, 3)).Read("> ");

        string[] shown = screen.ToString().Split("\e[J");
        Assert.Equal("... 7\r\n... 8\r\n... 9\r\e[5C\r\e[2A", shown[2]);
        Assert.StartsWith("> 1\r\n... 2\r\n", shown[^1], StringComparison.Ordinal);
    }

    private static string Read(params object[] keys) => new LineEditor(TextWriter.Null, Keys(keys), () => (80, 24)).Read("> ").Text;

    private static string ReadAfter(string[] earlier, params object[] keys)
    {
        LineEditor editor = new(TextWriter.Null, Keys(keys), () => (80, 24));
        foreach (string text in earlier)
            editor.History.Add(text);
        return editor.Read("> ").Text;
    }

    private static Key Pasted(string text) => new(KeyKind.Paste, text);

    /// <summary>Strings are typed character by character.</summary>
    private static ScriptedKeys Keys(object[] keys, bool isPasted = false) => new(
        [.. keys.SelectMany(key => key switch { KeyKind kind => [new Key(kind)], Key whole => [whole], var text => ((string)text).EnumerateRunes().Select(rune => new Key(KeyKind.Text, rune.ToString())) })],
        isPasted);

    private sealed class ScriptedKeys(IReadOnlyList<Key> keys, bool isPasted) : IKeySource
    {
        private int next;

        public int Begun { get; private set; }

        public int Ended { get; private set; }

        public int Suspended { get; private set; }

        public void Begin() => Begun++;

        public void End() => Ended++;

        public void Suspend() => Suspended++;

        public bool IsWaiting(TimeSpan time) => isPasted && next < keys.Count;

        public Key Read() => keys[next++];
    }
}

public sealed class KeyDecoderTests
{
    public static TheoryData<string, object[]> Sequences => new()
    {
        { "a", ["a"] },
        { "é描😀", ["é", "描", "😀"] },
        { "\r\n", [KeyKind.Enter, KeyKind.Enter] },
        { "\x7F\b\t", [KeyKind.Backspace, KeyKind.Backspace, KeyKind.Tab] },
        { "\x01\x05\x0B\x15\x17", [KeyKind.Home, KeyKind.End, KeyKind.DeleteToEnd, KeyKind.DeleteToStart, KeyKind.DeleteWordLeft] },
        { "\x03\x04\x0C\x12\x1A", [KeyKind.Interrupt, KeyKind.EndOfInput, KeyKind.ClearScreen, KeyKind.Search, KeyKind.Suspend] },
        { "\e[A\e[B\eOC\eOD", [KeyKind.Up, KeyKind.Down, KeyKind.Right, KeyKind.Left] },
        { "\e[H\e[F\e[1~\e[4~\e[7~\e[8~\e[3~", [KeyKind.Home, KeyKind.End, KeyKind.Home, KeyKind.End, KeyKind.Home, KeyKind.End, KeyKind.Delete] },
        { "\e[1;5C\e[1;3D\e[1;2C\eb\ef\ed\e\x7F", [KeyKind.WordRight, KeyKind.WordLeft, KeyKind.Right, KeyKind.WordLeft, KeyKind.WordRight, KeyKind.DeleteWordRight, KeyKind.DeleteWordLeft] },
        { "\e\r\e[13;2u\e[27;2;13~", [KeyKind.NewLine, KeyKind.NewLine, KeyKind.NewLine] },
        { "\e[200~one\ntwo\e[A\e[201~x", [new Key(KeyKind.Paste, "one\ntwo\e[A"), "x"] },
        { "\e[200~描\e[201", [new Key(KeyKind.Paste, "描\e[201")] },
        { "\e[15~\e[[Ax\e[Zy", [KeyKind.Unknown, KeyKind.Unknown, "x", KeyKind.Unknown, "y"] },
        { "\e", [KeyKind.Cancel] },
        { "\e[", [KeyKind.Closed] },
    };

    [Theory]
    [MemberData(nameof(Sequences), DisableDiscoveryEnumeration = true)]
    public void Bytes_become_keys(string typed, object[] expected)
    {
        KeyDecoder decoder = new(new Bytes(Encoding.UTF8.GetBytes(typed)));

        foreach (object key in expected)
            Assert.Equal(key switch { KeyKind kind => new Key(kind), Key whole => whole, var text => new Key(KeyKind.Text, (string)text) }, decoder.Read());
        Assert.Equal(KeyKind.Closed, decoder.Read().Kind);
    }

    [Fact]
    public void Bytes_that_are_not_utf_8_are_replaced()
    {
        KeyDecoder decoder = new(new Bytes([0xFF, (byte)'a']));

        Assert.Equal([new Key(KeyKind.Text, "\uFFFD"), new Key(KeyKind.Text, "a")], [decoder.Read(), decoder.Read()]);
    }

    private sealed class Bytes(byte[] bytes) : IByteSource
    {
        private int next;

        public bool IsWaiting(TimeSpan time) => next < bytes.Length;

        public int Read() => next < bytes.Length ? bytes[next++] : -1;
    }
}

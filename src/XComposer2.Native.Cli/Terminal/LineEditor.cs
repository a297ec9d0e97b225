using System.Text;
using Spectre.Console.Rendering;

namespace XComposer2.Native.Cli;

/// <summary>
/// Reads a line with the usual editing keys: arrows, Home, End, Ctrl-A/E/K/U/W/D, and history on the up arrow.
/// Console.ReadLine supports only Backspace and mishandles wide characters.
/// </summary>
/// <param name="screen">A terminal with ANSI sequences.</param>
/// <param name="keys">Source of key presses.</param>
/// <param name="width">Columns of the terminal.</param>
internal sealed class LineEditor(TextWriter screen, IKeySource keys, Func<int> width)
{
    private readonly List<string> history = [];
    private readonly EditedLine line = new();
    private int historyIndex;
    private int shownRow;
    private char pendingSurrogate;

    /// <returns>Null if Ctrl-D was pressed on an empty line.</returns>
    public string? Read(string prompt)
    {
        line.Text = "";
        historyIndex = history.Count;
        shownRow = 0;
        while (true)
        {
            if (!keys.IsWaiting)
                Show(prompt);
            ConsoleKeyInfo key = keys.Read();
            if (key.KeyChar == '\x04' && line.IsEmpty)
                return null;
            if (key.Key == ConsoleKey.Enter)
                return Finish(prompt);
            Press(key);
        }
    }

    private string Finish(string prompt)
    {
        line.MoveToEnd();
        Show(prompt);
        screen.Write("\r\n");
        string text = line.Text;
        if (!string.IsNullOrWhiteSpace(text) && (history.Count == 0 || history[^1] != text))
            history.Add(text);
        return text;
    }

    private void Press(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.Backspace: line.Delete(-1); return;
            case ConsoleKey.Delete: line.Delete(1); return;
            case ConsoleKey.LeftArrow: line.Move(-1); return;
            case ConsoleKey.RightArrow: line.Move(1); return;
            case ConsoleKey.Home: line.MoveToStart(); return;
            case ConsoleKey.End: line.MoveToEnd(); return;
            case ConsoleKey.UpArrow: Recall(-1); return;
            case ConsoleKey.DownArrow: Recall(1); return;
        }
        switch (key.KeyChar)
        {
            case '\x01': line.MoveToStart(); break;
            case '\x04': line.Delete(1); break;
            case '\x05': line.MoveToEnd(); break;
            case '\x0B': line.DeleteToEnd(); break;
            case '\x15': line.DeleteToStart(); break;
            case '\x17': line.DeleteWord(); break;
            default: Type(key.KeyChar); break;
        }
    }

    private void Type(char typed)
    {
        if (char.IsHighSurrogate(typed))
            pendingSurrogate = typed;
        else if (Rune.TryCreate(pendingSurrogate, typed, out Rune pair) || (!char.IsControl(typed) && Rune.TryCreate(typed, out pair)))
            line.Insert(pair);
    }

    private void Recall(int step)
    {
        int index = Math.Clamp(historyIndex + step, 0, history.Count);
        if (index == historyIndex)
            return;
        historyIndex = index;
        line.Text = index == history.Count ? "" : history[index];
    }

    private void Show(string prompt)
    {
        int columns = Math.Max(2, width());
        StringBuilder output = new();
        output.Append('\r').Append(Up(shownRow)).Append("\e[J").Append(prompt).Append(line.Text);
        (int endRow, int endColumn) = line.PlaceOfEnd(prompt, columns);
        if (endColumn == columns)
        {
            // After a full row the cursor stays on it; the next row must exist before the cursor can move there.
            output.Append("\r\n");
            (endRow, endColumn) = (endRow + 1, 0);
        }
        (int row, int column) = line.PlaceOf(prompt, line.Cursor, columns);
        if (column == columns)
            (row, column) = (row + 1, 0);
        output.Append('\r').Append(Up(endRow - row)).Append(column > 0 ? $"\e[{column}C" : "");
        shownRow = row;
        screen.Write(output);
    }

    private static string Up(int rows) => rows > 0 ? $"\e[{rows}A" : "";
}

/// <summary>An edited line: its characters and the cursor.</summary>
internal sealed class EditedLine
{
    private readonly List<Rune> runes = [];

    /// <summary>Number of characters before the cursor.</summary>
    public int Cursor { get; private set; }

    public bool IsEmpty => runes.Count == 0;

    public string Text
    {
        get => string.Concat(runes);
        set
        {
            runes.Clear();
            runes.AddRange(value.EnumerateRunes());
            Cursor = runes.Count;
        }
    }

    public void Insert(Rune rune) => runes.Insert(Cursor++, rune);

    public void Move(int characters) => Cursor = Math.Clamp(Cursor + characters, 0, runes.Count);

    public void MoveToStart() => Cursor = 0;

    public void MoveToEnd() => Cursor = runes.Count;

    /// <summary>Deletes <paramref name="characters"/> characters after the cursor; if negative, before it.</summary>
    public void Delete(int characters)
    {
        int other = Math.Clamp(Cursor + characters, 0, runes.Count);
        (int start, int end) = (Math.Min(Cursor, other), Math.Max(Cursor, other));
        runes.RemoveRange(start, end - start);
        Cursor = start;
    }

    public void DeleteToStart() => Delete(-Cursor);

    public void DeleteToEnd() => Delete(runes.Count - Cursor);

    /// <summary>Deletes the word before the cursor and the blanks between.</summary>
    public void DeleteWord()
    {
        int start = Cursor;
        while (start > 0 && Rune.IsWhiteSpace(runes[start - 1]))
            start--;
        while (start > 0 && !Rune.IsWhiteSpace(runes[start - 1]))
            start--;
        Delete(start - Cursor);
    }

    /// <summary>Terminal position after <paramref name="prompt"/> and this many characters; wide characters do not straddle the edge.</summary>
    /// <returns>Row and column from the start of the prompt. A column equal to the width is the position after the last column.</returns>
    public (int Row, int Column) PlaceOf(string prompt, int characters, int width)
    {
        (int row, int column) = (0, 0);
        foreach (Rune rune in prompt.EnumerateRunes().Concat(runes.Take(characters)))
        {
            int cells = new Segment(rune.ToString()).CellCount();
            if (column + cells > width)
                (row, column) = (row + 1, 0);
            column += cells;
        }
        return (row, column);
    }

    /// <summary>Terminal position after the whole line.</summary>
    public (int Row, int Column) PlaceOfEnd(string prompt, int width) => PlaceOf(prompt, runes.Count, width);
}

/// <summary>A source of key presses.</summary>
internal interface IKeySource
{
    /// <summary>Whether another key is available, as in pasted text.</summary>
    bool IsWaiting { get; }

    /// <summary>Waits for a key without echo.</summary>
    ConsoleKeyInfo Read();
}

/// <summary>The keyboard of this process's terminal.</summary>
internal sealed class Keyboard : IKeySource
{
    public bool IsWaiting => Console.KeyAvailable;

    public ConsoleKeyInfo Read() => Console.ReadKey(intercept: true);
}

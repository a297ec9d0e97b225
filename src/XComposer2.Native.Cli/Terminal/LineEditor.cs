using System.Text;

namespace XComposer2.Native.Cli;

/// <summary>Why a text ended.</summary>
internal enum LineEnd
{
    Entered,
    EndOfInput,

    /// <summary>Ctrl-C; the typed text is to be discarded.</summary>
    Interrupted,
}

/// <summary>What was typed.</summary>
/// <param name="End">Why it ended.</param>
/// <param name="Text">The text.</param>
internal readonly record struct TypedLine(LineEnd End, string Text = "");

/// <summary>
/// Reads a text of one or more lines with the usual editing keys, history, search and completion. Pasted lines are one text: a terminal marks pastes, and
/// where it does not, lines that are waiting already belong together.
/// </summary>
/// <param name="screen">A terminal with ANSI sequences.</param>
/// <param name="keys">Source of key presses.</param>
/// <param name="size">Columns and rows of the terminal.</param>
internal sealed class LineEditor(TextWriter screen, IKeySource keys, Func<(int Columns, int Rows)> size)
{
    private const string BeginPastes = "\e[?2004h";
    private const string EndPastes = "\e[?2004l";
    private static readonly TimeSpan pasteTime = TimeSpan.FromMilliseconds(10);

    private readonly EditBuffer text = new();
    private readonly EditScreen view = new(screen, size);
    private string draft = "";
    private int historyIndex;
    private readonly Lock terminal = new();
    private bool isReading;
    private bool isClosed;

    /// <summary>Earlier texts.</summary>
    public InputHistory History { get; set; } = new();

    /// <summary>Completes words on Tab; null for none.</summary>
    public ICompleter? Completer { get; set; }

    /// <summary>Restores the terminal if the process ends while a text is read, on another thread; no text is read any more.</summary>
    public void Close()
    {
        lock (terminal)
        {
            isClosed = true;
            Leave();
        }
    }

    /// <param name="prompt">Before the first line.</param>
    public TypedLine Read(string prompt)
    {
        text.Text = "";
        historyIndex = History.Entries.Count;
        view.Begin();
        if (!Enter())
            return new TypedLine(LineEnd.EndOfInput);
        try
        {
            while (true)
            {
                if (!keys.IsWaiting(TimeSpan.Zero))
                    view.Show(prompt, text);
                Key key = keys.Read();
                if (key.Kind == KeyKind.Search)
                    key = Search();
                if (Ends(key) is { } end)
                    return Finish(prompt, end);
                Press(key, prompt);
            }
        }
        finally
        {
            Leave();
        }
    }

    private bool Enter()
    {
        lock (terminal)
        {
            if (isClosed)
                return false;
            isReading = true;
            keys.Begin();
            screen.Write(BeginPastes);
            return true;
        }
    }

    private void Leave()
    {
        lock (terminal)
        {
            if (!isReading)
                return;
            isReading = false;
            keys.End();
            screen.Write(EndPastes);
        }
    }

    private LineEnd? Ends(Key key) => key.Kind switch
    {
        KeyKind.Enter when !IsContinued() => LineEnd.Entered,
        KeyKind.EndOfInput when text.IsEmpty => LineEnd.EndOfInput,
        KeyKind.Closed => LineEnd.EndOfInput,
        KeyKind.Interrupt => LineEnd.Interrupted,
        _ => null,
    };

    /// <summary>Whether Enter begins another line.</summary>
    private bool IsContinued()
    {
        string typed = text.Text;
        if (!MessageSyntax.Continues(typed))
            return !MessageSyntax.IsCommand(typed) && !text.IsEmpty && keys.IsWaiting(pasteTime);
        if (MessageSyntax.WithoutContinuation(typed) is { } plain && plain.Length < typed.Length)
            text.Text = plain;
        return true;
    }

    private TypedLine Finish(string prompt, LineEnd end)
    {
        string typed = text.Text;
        text.MoveToEnd();
        view.Finish(prompt, text);
        if (end == LineEnd.Entered)
            History.Add(typed);
        return new TypedLine(end, typed);
    }

    private void Press(Key key, string prompt)
    {
        switch (key.Kind)
        {
            case KeyKind.Text or KeyKind.Paste: text.Insert(key.Text); break;
            case KeyKind.Enter: text.MoveToEnd(); text.Insert("\n"); break;
            case KeyKind.NewLine: text.Insert("\n"); break;
            case KeyKind.Backspace: text.Delete(-1); break;
            case KeyKind.Delete or KeyKind.EndOfInput: text.Delete(1); break;
            case KeyKind.Left: text.Move(-1); break;
            case KeyKind.Right: text.Move(1); break;
            case KeyKind.Home: text.MoveToLineStart(); break;
            case KeyKind.End: text.MoveToLineEnd(); break;
            case KeyKind.WordLeft: text.MoveWord(-1); break;
            case KeyKind.WordRight: text.MoveWord(1); break;
            case KeyKind.DeleteWordLeft: text.DeleteWord(-1); break;
            case KeyKind.DeleteWordRight: text.DeleteWord(1); break;
            case KeyKind.DeleteToStart: text.DeleteToLineStart(); break;
            case KeyKind.DeleteToEnd: text.DeleteToLineEnd(); break;
            case KeyKind.Up when !text.MoveLine(-1): Recall(-1); break;
            case KeyKind.Down when !text.MoveLine(1): Recall(1); break;
            case KeyKind.ClearScreen: view.Clear(); break;
            case KeyKind.Tab: Complete(prompt); break;
            case KeyKind.Suspend: Suspend(prompt); break;
        }
    }

    private void Recall(int step)
    {
        int index = Math.Clamp(historyIndex + step, 0, History.Entries.Count);
        if (index == historyIndex)
            return;
        if (historyIndex == History.Entries.Count)
            draft = text.Text;
        historyIndex = index;
        text.Text = index == History.Entries.Count ? draft : History.Entries[index];
    }

    /// <summary>Searches the history backwards while a part of a text is typed.</summary>
    /// <returns>The key that ended the search, to be handled with the found text.</returns>
    private Key Search()
    {
        (string before, int cursor) = (text.Text, text.Cursor);
        string wanted = "";
        int found = History.Entries.Count;
        while (true)
        {
            view.Show($"(search \"{wanted}\"{(found < 0 ? ": not found" : "")}) ", text);
            Key key = keys.Read();
            switch (key.Kind)
            {
                case KeyKind.Search when wanted.Length > 0:
                    Find(found - 1);
                    break;
                case KeyKind.Text:
                    wanted += key.Text;
                    Find(History.Entries.Count - 1);
                    break;
                case KeyKind.Backspace when wanted.Length > 0:
                    wanted = wanted[..^(char.IsLowSurrogate(wanted[^1]) ? 2 : 1)];
                    Find(History.Entries.Count - 1);
                    break;
                case KeyKind.Search or KeyKind.Backspace:
                    break;
                case KeyKind.Cancel:
                    text.Text = before;
                    text.MoveTo(cursor);
                    return new Key(KeyKind.Unknown);
                default:
                    historyIndex = found >= 0 && wanted.Length > 0 ? found : History.Entries.Count;
                    return key;
            }
        }

        void Find(int from)
        {
            found = wanted.Length == 0 ? History.Entries.Count : from;
            while (wanted.Length > 0 && found >= 0 && !History.Entries[found].Contains(wanted, StringComparison.OrdinalIgnoreCase))
                found--;
            if (found >= 0 && wanted.Length > 0)
                text.Text = History.Entries[found];
            else if (wanted.Length == 0)
                text.Text = before;
        }
    }

    private void Complete(string prompt)
    {
        if (Completer?.Complete(text.TextBeforeCursor) is not { Candidates.Count: > 0 } completion)
            return;
        string common = completion.CommonPrefix;
        if (common.Length > completion.Typed.Length || completion.Candidates.Count == 1)
        {
            text.Delete(-completion.Typed.EnumerateRunes().Count());
            text.Insert(common);
        }
        else
        {
            view.List(prompt, text, completion);
        }
    }

    private void Suspend(string prompt)
    {
        view.Finish(prompt, text);
        screen.Write(EndPastes);
        keys.Suspend();
        screen.Write(BeginPastes);
        view.Begin();
    }
}

/// <summary>Shows a text that is edited, and shows it again after each change.</summary>
internal sealed class EditScreen(TextWriter screen, Func<(int Columns, int Rows)> size)
{
    private const int MaximumListed = 60;

    private int cursorRow;
    private int firstRow;

    /// <summary>The cursor stands on an empty row.</summary>
    public void Begin() => (cursorRow, firstRow) = (0, 0);

    public void Show(string prompt, EditBuffer text)
    {
        (int columns, int rows) = size();
        EditLayout layout = EditLayout.Of(prompt, text.Runes, text.Cursor, Math.Max(8, columns));
        // A text that is longer than the screen is shown around its cursor.
        int height = Math.Clamp(layout.Rows.Count, 1, Math.Max(1, rows));
        firstRow = Math.Clamp(firstRow, Math.Max(0, layout.CursorRow - height + 1), Math.Min(layout.CursorRow, layout.Rows.Count - height));
        StringBuilder output = new();
        output.Append('\r').Append(Up(cursorRow)).Append("\e[J").AppendJoin("\r\n", layout.Rows.Skip(firstRow).Take(height));
        cursorRow = layout.CursorRow - firstRow;
        output.Append('\r').Append(Up(height - 1 - cursorRow)).Append(layout.CursorColumn > 0 ? $"\e[{layout.CursorColumn}C" : "");
        screen.Write(output);
    }

    /// <summary>Shows the whole text and leaves the cursor below it.</summary>
    public void Finish(string prompt, EditBuffer text)
    {
        EditLayout layout = EditLayout.Of(prompt, text.Runes, -1, Math.Max(8, size().Columns));
        StringBuilder output = new();
        output.Append('\r').Append(Up(cursorRow)).Append("\e[J").AppendJoin("\r\n", layout.Rows).Append("\r\n");
        screen.Write(output);
        Begin();
    }

    /// <summary>Empties the screen.</summary>
    public void Clear()
    {
        screen.Write("\e[H\e[2J");
        Begin();
    }

    /// <summary>Shows candidates below the text, and then the text again.</summary>
    public void List(string prompt, EditBuffer text, Completion completion)
    {
        Finish(prompt, text);
        int columns = Math.Max(8, size().Columns);
        string[] shown = [.. completion.Candidates.Select(candidate => TerminalText.OneLine(candidate[completion.Hidden..]))];
        int width = shown.Max(candidate => candidate.Length) + 2;
        int perRow = Math.Max(1, columns / width);
        foreach (string[] row in shown.Take(MaximumListed).Chunk(perRow))
            screen.Write(string.Concat(row.Select(candidate => candidate.PadRight(width))).TrimEnd() + "\r\n");
        if (shown.Length > MaximumListed)
            screen.Write($"... and {shown.Length - MaximumListed} more\r\n");
    }

    private static string Up(int rows) => rows > 0 ? $"\e[{rows}A" : "";
}

/// <summary>Completes what stands before the cursor.</summary>
internal interface ICompleter
{
    /// <returns>Null if there is nothing to complete.</returns>
    Completion? Complete(string textBeforeCursor);
}

/// <summary>Continuations of a word.</summary>
/// <param name="Typed">The part that was typed, which is replaced.</param>
/// <param name="Candidates">Whole words.</param>
/// <param name="Hidden">Leading characters that are not shown in a list, such as the folder of a path.</param>
internal sealed record Completion(string Typed, IReadOnlyList<string> Candidates, int Hidden = 0)
{
    /// <summary>What all candidates begin with.</summary>
    public string CommonPrefix => Candidates.Aggregate((first, second) => first[..first.AsSpan().CommonPrefixLength(second)]);
}

using System.Text;
using Spectre.Console.Rendering;

namespace XComposer2.Native.Cli;

/// <summary>Edited text of one or more lines: its characters and the cursor.</summary>
internal sealed class EditBuffer
{
    private static readonly Rune lineBreak = new('\n');

    private readonly List<Rune> runes = [];

    /// <summary>Number of characters before the cursor.</summary>
    public int Cursor { get; private set; }

    public bool IsEmpty => runes.Count == 0;

    public IReadOnlyList<Rune> Runes => runes;

    /// <summary>Setting moves the cursor to the end.</summary>
    public string Text
    {
        get => string.Concat(runes);
        set
        {
            runes.Clear();
            Cursor = 0;
            Insert(value);
        }
    }

    public string TextBeforeCursor => string.Concat(runes.Take(Cursor));

    /// <summary>Inserts text at the cursor. Line ends become line feeds; control characters other than tabs are omitted.</summary>
    public void Insert(string text)
    {
        Rune[] inserted = [.. text.ReplaceLineEndings("\n").EnumerateRunes().Where(static rune => !Rune.IsControl(rune) || rune.Value is '\n' or '\t')];
        runes.InsertRange(Cursor, inserted);
        Cursor += inserted.Length;
    }

    public void Move(int characters) => Cursor = Math.Clamp(Cursor + characters, 0, runes.Count);

    public void MoveTo(int position) => Cursor = Math.Clamp(position, 0, runes.Count);

    public void MoveToEnd() => Cursor = runes.Count;

    public void MoveToLineStart() => Cursor = LineStart(Cursor);

    public void MoveToLineEnd() => Cursor = LineEnd(Cursor);

    /// <summary>Moves to the line above or below, as near to the same column as possible.</summary>
    /// <returns>False if there is no such line.</returns>
    public bool MoveLine(int direction)
    {
        int start = LineStart(Cursor), column = Cursor - start;
        int other = direction < 0 ? start - 1 : LineEnd(Cursor) + 1;
        if (other < 0 || other > runes.Count)
            return false;
        int otherStart = LineStart(other);
        Cursor = Math.Min(otherStart + column, LineEnd(otherStart));
        return true;
    }

    public void MoveWord(int direction) => Cursor = WordBorder(direction);

    /// <summary>Deletes <paramref name="characters"/> characters after the cursor; if negative, before it.</summary>
    public void Delete(int characters)
    {
        int other = Math.Clamp(Cursor + characters, 0, runes.Count);
        (int start, int end) = (Math.Min(Cursor, other), Math.Max(Cursor, other));
        runes.RemoveRange(start, end - start);
        Cursor = start;
    }

    public void DeleteToLineStart() => Delete(LineStart(Cursor) - Cursor);

    public void DeleteToLineEnd() => Delete(LineEnd(Cursor) - Cursor);

    /// <summary>Deletes the word before (negative) or after the cursor and the blanks between.</summary>
    public void DeleteWord(int direction) => Delete(WordBorder(direction) - Cursor);

    private int WordBorder(int direction)
    {
        int place = Cursor;
        while (Neighbour(place, direction) is { } rune && Rune.IsWhiteSpace(rune))
            place += direction;
        while (Neighbour(place, direction) is { } rune && !Rune.IsWhiteSpace(rune))
            place += direction;
        return place;
    }

    private Rune? Neighbour(int place, int direction)
    {
        int index = direction < 0 ? place - 1 : place;
        return index >= 0 && index < runes.Count ? runes[index] : null;
    }

    private int LineStart(int position) => position == 0 ? 0 : runes.LastIndexOf(lineBreak, position - 1) + 1;

    private int LineEnd(int position) => runes.IndexOf(lineBreak, position) is >= 0 and int end ? end : runes.Count;
}

/// <summary>Rows that a prompt and a text take on a terminal.</summary>
/// <param name="Rows">At most as wide as the terminal.</param>
/// <param name="CursorRow">Row of the cursor.</param>
/// <param name="CursorColumn">Column of the cursor, less than the width.</param>
internal sealed record EditLayout(IReadOnlyList<string> Rows, int CursorRow, int CursorColumn)
{
    private const string Continuation = "... ";
    private const string Tab = "    ";

    /// <param name="prompt">Before the first line.</param>
    /// <param name="text">Lines after the first one begin with "... "; wide characters do not straddle the edge.</param>
    /// <param name="cursor">Characters before the cursor; negative if it is not shown.</param>
    /// <param name="width">Columns of the terminal.</param>
    public static EditLayout Of(string prompt, IReadOnlyList<Rune> text, int cursor, int width)
    {
        List<string> rows = [];
        StringBuilder row = new();
        int column = 0;
        (int Row, int Column) place = (0, 0);
        foreach (Rune rune in prompt.EnumerateRunes())
            Put(rune.ToString());
        for (int index = 0; index <= text.Count; index++)
        {
            string shown = index == text.Count ? "" : text[index].Value switch { '\t' => Tab, '\n' => "", _ => text[index].ToString() };
            // The cursor cannot stand after the last column.
            if (column + Math.Max(1, Cells(shown)) > width && (shown.Length > 0 || index == cursor))
                Break();
            if (index == cursor)
                place = (rows.Count, column);
            if (index < text.Count && text[index].Value == '\n')
            {
                Break();
                foreach (char letter in Continuation)
                    Put(letter.ToString());
            }
            else
            {
                Put(shown);
            }
        }

        rows.Add(row.ToString());
        return new EditLayout(rows, place.Row, place.Column);

        void Put(string shown)
        {
            int cells = Cells(shown);
            if (column + cells > width)
                Break();
            row.Append(shown);
            column += cells;
        }

        void Break()
        {
            rows.Add(row.ToString());
            row.Clear();
            column = 0;
        }
    }

    private static int Cells(string text) => text.Length == 0 ? 0 : new Segment(text).CellCount();
}

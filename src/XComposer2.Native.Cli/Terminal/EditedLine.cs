using System.Text;
using Spectre.Console.Rendering;

namespace XComposer2.Native.Cli;

/// <summary>A line being typed: its characters and the cursor.</summary>
internal sealed class EditedLine
{
    private readonly List<Rune> runes = [];

    /// <summary>Characters before the cursor.</summary>
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

    /// <summary>Deletes what lies between the cursor and <paramref name="characters"/> further; negative: before it.</summary>
    public void Delete(int characters)
    {
        int other = Math.Clamp(Cursor + characters, 0, runes.Count);
        (int start, int end) = (Math.Min(Cursor, other), Math.Max(Cursor, other));
        runes.RemoveRange(start, end - start);
        Cursor = start;
    }

    public void DeleteToStart() => Delete(-Cursor);

    public void DeleteToEnd() => Delete(runes.Count - Cursor);

    /// <summary>The word before the cursor, and blanks between.</summary>
    public void DeleteWord()
    {
        int start = Cursor;
        while (start > 0 && Rune.IsWhiteSpace(runes[start - 1]))
            start--;
        while (start > 0 && !Rune.IsWhiteSpace(runes[start - 1]))
            start--;
        Delete(start - Cursor);
    }

    /// <summary>Where the terminal's cursor is after <paramref name="prompt"/> and this many characters; a wide one does not straddle the edge.</summary>
    /// <returns>Row and column from the start of the prompt. A column equal to the width is the place beyond the last one.</returns>
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

    /// <summary>Where the terminal's cursor is after all of the line.</summary>
    public (int Row, int Column) PlaceOfEnd(string prompt, int width) => PlaceOf(prompt, runes.Count, width);
}

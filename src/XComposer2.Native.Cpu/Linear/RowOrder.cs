namespace XComposer2.Native.Cpu;

/// <summary>Rows of a step as the linears walk them: visual rows first, each kind in its own order, so that what only visual rows need is a
/// product over the first of them. Does not own its memory.</summary>
internal readonly unsafe struct RowOrder
{
    // Null where rows are walked as they lie, from the first one on.
    private readonly int* rows;

    private readonly int first;

    private RowOrder(int* rows, int first, int count, int visual)
    {
        this.rows = rows;
        this.first = first;
        Count = count;
        Visual = visual;
    }

    /// <summary>Rows in all.</summary>
    public int Count { get; }

    /// <summary>The first so many are visual.</summary>
    public int Visual { get; }

    /// <summary>Row of the step that is walked as number <paramref name="index"/>.</summary>
    public nint this[int index] => rows is null ? first + index : rows[index];

    /// <summary>All rows as they lie, none of them visual.</summary>
    public static RowOrder Unchanged(int count) => new(null, 0, count, 0);

    /// <param name="visualRow">[count], negative for text.</param>
    /// <param name="count">Rows.</param>
    /// <param name="memory">[count], written.</param>
    public static RowOrder VisualFirst(int* visualRow, int count, int* memory)
    {
        int visual = 0;
        for (int row = 0; row < count; row++)
            if (visualRow[row] >= 0)
                memory[visual++] = row;
        if (visual == 0)
            return Unchanged(count);
        int next = visual;
        for (int row = 0; row < count; row++)
            if (visualRow[row] < 0)
                memory[next++] = row;
        return new RowOrder(memory, 0, count, visual);
    }

    /// <summary>A part of the walk.</summary>
    public RowOrder Slice(int start, int count) =>
        new(rows is null ? null : rows + start, first + start, count, Math.Clamp(Visual - start, 0, count));
}

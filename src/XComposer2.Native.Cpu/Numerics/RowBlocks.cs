namespace XComposer2.Native.Cpu;

/// <summary>Rows cut into tasks large enough to be worth handing out. Does not depend on the number of threads.</summary>
internal readonly struct RowBlocks
{
    private const int TaskElements = 16 * 1024;

    private readonly int rows;

    private readonly int blockRows;

    private RowBlocks(int rows, int blockRows)
    {
        this.rows = rows;
        this.blockRows = blockRows;
    }

    /// <summary>Tasks.</summary>
    public int Count => (int)(((long)rows + blockRows - 1) / blockRows);

    /// <param name="rows">Rows in all.</param>
    /// <param name="columns">Elements of one row, at least 1.</param>
    public static RowBlocks For(int rows, int columns) => new(rows, Math.Max(1, TaskElements / columns));

    public int Start(int task) => task * blockRows;

    public int End(int task) => (int)Math.Min(rows, ((long)task + 1) * blockRows);
}

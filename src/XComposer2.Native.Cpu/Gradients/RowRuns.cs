namespace XComposer2.Native.Cpu;

/// <summary>Runs of consecutive rows: all of them, those of pictures, or one for each sequence. Does not own its memory.</summary>
internal readonly unsafe struct RowRuns
{
    private readonly int* ends;

    private RowRuns(int count, int* ends, int total)
    {
        Count = count;
        this.ends = ends;
        Rows = total;
    }

    /// <summary>Number of runs.</summary>
    public int Count { get; }

    /// <summary>Rows, those included that are in no run.</summary>
    public int Rows { get; }

    /// <summary>Integers of memory that <see cref="Visual"/> needs.</summary>
    public static long Integers(int rows) => 2L + rows;

    /// <summary>One run of all rows.</summary>
    public static RowRuns All(int rows) => new(rows == 0 ? 0 : 1, null, rows);

    /// <summary>Runs of the rows for which <paramref name="visualRow"/> is not negative; all rows where it is null.</summary>
    /// <param name="visualRow">[rows] or null.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="memory">Of <see cref="Integers"/>.</param>
    public static RowRuns Visual(int* visualRow, int rows, int* memory)
    {
        if (visualRow is null)
            return All(rows);
        int count = 0;
        for (int row = 0; row < rows; row++)
        {
            if (visualRow[row] < 0)
                continue;
            if (count > 0 && memory[(2 * count) - 1] == row)
            {
                memory[(2 * count) - 1]++;
                continue;
            }

            (memory[2 * count], memory[(2 * count) + 1]) = (row, row + 1);
            count++;
        }

        return new RowRuns(count, memory, rows);
    }

    /// <summary>Integers of memory that <see cref="Sequences"/> needs.</summary>
    public static long SequenceIntegers(int rows) => 2L * rows;

    /// <summary>One run for each sequence.</summary>
    /// <param name="starts">[rows], the first row of each row's sequence.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="memory">Of <see cref="SequenceIntegers"/>.</param>
    public static RowRuns Sequences(int* starts, int rows, int* memory)
    {
        int count = 0;
        for (int row = 0; row < rows; count++)
        {
            int first = row;
            while (row < rows && starts[row] == first)
                row++;
            if (row == first)
                throw new ArgumentException($"row {row}: expected the start of its sequence, {row}, found {starts[row]}", nameof(starts));
            (memory[2 * count], memory[(2 * count) + 1]) = (first, row);
        }

        return new RowRuns(count, memory, rows);
    }

    /// <summary>First row of a run, and the row behind its last.</summary>
    public (int Start, int End) this[int run] => ends is null ? (0, Rows) : (ends[2 * run], ends[(2 * run) + 1]);

    /// <summary>Whether a row is in a run.</summary>
    public bool Holds(int row)
    {
        for (int run = 0; run < Count; run++)
            if (row >= this[run].Start && row < this[run].End)
                return true;
        return false;
    }
}

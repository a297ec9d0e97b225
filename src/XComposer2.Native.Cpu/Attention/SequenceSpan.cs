namespace XComposer2.Native.Cpu;

/// <summary>Rows of a step that belong to one sequence: row FirstRow + i sits at position PastLength + i.</summary>
public readonly unsafe struct SequenceSpan
{
    /// <param name="firstRow">Row of the step.</param>
    /// <param name="rowCount">Rows of this sequence in the step.</param>
    /// <param name="pastLength">Tokens that are in the cache already.</param>
    /// <param name="pages">[(pastLength + rowCount) / 64 rounded up]: physical page of positions 64 j to 64 j + 63. Not owned; must stay put during the step.</param>
    public SequenceSpan(int firstRow, int rowCount, int pastLength, int* pages)
    {
        FirstRow = firstRow;
        RowCount = rowCount;
        PastLength = pastLength;
        Pages = pages;
    }

    public int FirstRow { get; }

    public int RowCount { get; }

    public int PastLength { get; }

    public int* Pages { get; }

    /// <summary>Tokens of the sequence once the step's rows are in the cache.</summary>
    public int Length => PastLength + RowCount;

    /// <summary>Refuses spans that reach outside the step's rows or the cache's pages.</summary>
    internal static void Require(SequenceSpan* spans, int spanCount, int rows, in KvLayerView cache)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(spanCount);
        if (spanCount > 0)
            ArgumentNullException.ThrowIfNull(spans);
        for (int index = 0; index < spanCount; index++)
        {
            ref readonly SequenceSpan span = ref spans[index];
            if (span.FirstRow < 0 || span.RowCount < 0 || span.PastLength < 0 || span.FirstRow > rows - span.RowCount
                || span.PastLength > int.MaxValue - KvLayerView.PageTokens - span.RowCount)
                throw new ArgumentException(
                    $"span {index}: rows {span.FirstRow} + {span.RowCount} after {span.PastLength} tokens do not fit a step of {rows} rows", nameof(spans));
            int pages = (span.Length + KvLayerView.PageTokens - 1) / KvLayerView.PageTokens;
            for (int page = 0; page < pages; page++)
                if ((uint)span.Pages[page] >= (uint)cache.PageCount)
                    throw new ArgumentException(
                        $"span {index}: page {page} is physical page {span.Pages[page]}, but there are {cache.PageCount}", nameof(spans));
        }
    }
}

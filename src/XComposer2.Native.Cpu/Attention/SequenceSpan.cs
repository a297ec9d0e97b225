namespace XComposer2.Native.Cpu;

/// <summary>The rows of one sequence in a step: row FirstRow + i has position PastLength + i.</summary>
public readonly unsafe struct SequenceSpan
{
    /// <param name="firstRow">First row in the step.</param>
    /// <param name="rowCount">Number of rows in the step.</param>
    /// <param name="pastLength">Tokens already in the cache.</param>
    /// <param name="pages">[(pastLength + rowCount) / 64 rounded up]: physical page of positions 64 j to 64 j + 63. Not owned; must stay valid during the step.</param>
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

    /// <summary>Length of the sequence in tokens after this step.</summary>
    public int Length => PastLength + RowCount;

    /// <summary>Throws if a span exceeds the rows of the step or the pages of the cache.</summary>
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

namespace XComposer2.Native.Evaluation.Frames;

/// <summary>A table of texts with named columns, as a TSV file holds it. Cells keep their characters; nothing is interpreted.</summary>
internal sealed class TextTable
{
    private readonly Dictionary<string, int> columns = new(StringComparer.Ordinal);
    private readonly List<string[]> rows = [];

    /// <param name="header">The names of the columns; the first of two equal names is found by name.</param>
    public TextTable(IReadOnlyList<string> header)
    {
        Header = header;
        for (int i = 0; i < header.Count; i++)
            columns.TryAdd(header[i], i);
    }

    public IReadOnlyList<string> Header { get; }

    public int Count => rows.Count;

    public bool Has(string column) => columns.ContainsKey(column);

    /// <summary>The cell, or an empty text where there is no such column.</summary>
    public string this[int row, string column] => columns.TryGetValue(column, out int at) && at < rows[row].Length ? rows[row][at] : "";

    public string[] Column(string name) => [.. Enumerable.Range(0, Count).Select(row => this[row, name])];

    public void Add(string[] cells) => rows.Add(cells);
}

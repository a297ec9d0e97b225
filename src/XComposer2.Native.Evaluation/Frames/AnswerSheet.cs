using System.Numerics;
using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Frames;

/// <summary>
/// A data set and the answers to it, as the official scoring functions see them: the data set after one reading by pandas, its answered rows again after the
/// way through the file of answers.
/// </summary>
internal sealed class AnswerSheet
{
    private readonly Dictionary<string, string?[]> dataSet = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?[]> answered = new(StringComparer.Ordinal);
    private readonly TextTable table;
    private readonly AnswerFile file;
    private readonly int[] rows;
    private readonly string[] raw;

    /// <param name="table">The data set, with the column <c>index</c>.</param>
    /// <param name="answers">The raw answers by index. Rows without one are left out, as the official code does.</param>
    /// <param name="file">The way of the answers.</param>
    public AnswerSheet(TextTable table, IReadOnlyDictionary<string, string> answers, AnswerFile file)
    {
        this.table = table;
        this.file = file;
        rows = [.. Enumerable.Range(0, table.Count).Where(row => answers.ContainsKey(table[row, "index"])).OrderBy(row => table[row, "index"], IndexOrder.Instance)];
        raw = [.. rows.Select(row => answers[table[row, "index"]])];
        Predictions = [.. PandasColumn.Load(raw, file).Select(prediction => prediction ?? "nan")];
    }

    /// <summary>Answered rows.</summary>
    public int Count => rows.Length;

    /// <summary>The <c>str()</c> of each answer, "nan" for those that pandas takes for missing.</summary>
    public IReadOnlyList<string> Predictions { get; }

    /// <summary>The answers as they were given.</summary>
    public IReadOnlyList<string> RawPredictions => raw;

    public string Index(int answer) => table[rows[answer], "index"];

    public bool Has(string column) => table.Has(column);

    /// <summary>The cell of the file of answers; null is a missing value.</summary>
    public string? this[int answer, string column] => Answered(column)[answer];

    /// <summary>The cell of the data set, which holds the right answer: the file of answers is not trusted with it.</summary>
    public string? OfDataSet(int answer, string column) => DataSet(column)[rows[answer]];

    /// <summary>The characters of the data set, not read by pandas.</summary>
    public string Raw(int answer, string column) => table[rows[answer], column];

    /// <summary>The same data set with other answers, in the order of the rows here.</summary>
    public AnswerSheet With(Func<int, string> answer)
    {
        Dictionary<string, string> changed = new(StringComparer.Ordinal);
        for (int i = 0; i < Count; i++)
            changed[Index(i)] = answer(i);
        return new AnswerSheet(table, changed, file);
    }

    private string?[] DataSet(string column)
    {
        if (!dataSet.TryGetValue(column, out string?[]? cells))
            dataSet[column] = cells = PandasColumn.OfDataSet(table.Column(column), file);
        return cells;
    }

    private string?[] Answered(string column)
    {
        if (!answered.TryGetValue(column, out string?[]? cells))
            answered[column] = cells = PandasColumn.Load([.. rows.Select(row => DataSet(column)[row])], file);
        return cells;
    }

    private sealed class IndexOrder : IComparer<string>
    {
        public static IndexOrder Instance { get; } = new();

        public int Compare(string? left, string? right) =>
            PythonNumber.TryInteger(left ?? "", out BigInteger a) && PythonNumber.TryInteger(right ?? "", out BigInteger b) ? a.CompareTo(b)
                : string.CompareOrdinal(left, right);
    }
}

using XComposer2.Native.Evaluation.Frames;

namespace XComposer2.Native.Evaluation.DataSets;

/// <summary>Where the picture of a row is.</summary>
internal enum PicturePlacement
{
    /// <summary>The row has none.</summary>
    None,

    /// <summary>In the row, as base64.</summary>
    Embedded,

    /// <summary>In another row, which is named by its index.</summary>
    OtherRow,

    /// <summary>In a file.</summary>
    File,
}

/// <summary>What is wrong with a row.</summary>
/// <param name="Row">1 for the first below the header.</param>
/// <param name="Index">The index of the row, where it has one.</param>
/// <param name="Column">The column at fault.</param>
/// <param name="Message">What was expected, and what was found.</param>
internal sealed record RowProblem(int Row, string Index, string Column, string Message)
{
    public string Describe(string path) => $"{path}, row {Row}{(Index.Length == 0 ? "" : $" (index {Index})")}, column {Column}: {Message}";
}

/// <summary>One sample of a data set.</summary>
/// <param name="TableRow">Its row of the table, from 0.</param>
/// <param name="Index">As the file writes it.</param>
/// <param name="Placement">Where its picture is.</param>
/// <param name="Source">The index of the other row, or the path of the file.</param>
/// <param name="Problem">Why it cannot be asked; null if it can.</param>
internal sealed record DataSetSample(int TableRow, string Index, PicturePlacement Placement, string Source, RowProblem? Problem);

/// <summary>A data set without its pictures, which are read when they are needed.</summary>
internal sealed class DataSet
{
    public required Benchmark Benchmark { get; init; }

    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>SHA-256 of the file, in hexadecimal digits.</summary>
    public required string Hash { get; init; }

    /// <summary>All rows, without the column of pictures.</summary>
    public required TextTable Table { get; init; }

    /// <summary>What is asked, in the order of the file.</summary>
    public required IReadOnlyList<DataSetSample> Samples { get; init; }

    /// <summary>Rows that the official code leaves out: those of HallusionBench without a picture.</summary>
    public required int LeftOut { get; init; }

    public IEnumerable<RowProblem> Problems => Samples.Select(sample => sample.Problem).OfType<RowProblem>();
}

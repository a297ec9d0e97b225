using System.Buffers.Text;
using System.Security.Cryptography;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.DataSets;

/// <summary>Reads data sets in their published layouts and checks every row. Pictures are checked, but not kept.</summary>
internal static class DataSetReader
{
    public const string PictureColumn = "image", PathColumn = "image_path";

    /// <summary>VLMEvalKit takes a value of at most this length for the index of the row with the picture.</summary>
    private const int LongestReference = 64;

    /// <param name="benchmark">What to read.</param>
    /// <param name="folder">The folder with the published file.</param>
    /// <exception cref="EvaluationException">The file is missing or unreadable, or lacks columns. What is wrong with single rows is in their samples.</exception>
    public static DataSet Read(Benchmark benchmark, string folder)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        string path = Path.Combine(folder, benchmark.FileName);
        if (!File.Exists(path))
            throw new EvaluationException($"{path}: no such file; --data is the folder with the published files");
        return benchmark.Kind == BenchmarkKind.Creation ? Complete(benchmark, path, CreationBenchFile.Read(path), []) : ReadTsv(benchmark, path);
    }

    /// <summary>The first of several pictures: the original shows the model no more.</summary>
    public static string FirstPicture(string cell) => PythonLiteral.TryList(cell) is [var first, ..] ? first : cell;

    private static DataSet ReadTsv(Benchmark benchmark, string path)
    {
        string[] header = TsvReader.ReadHeader(path);
        int picture = Array.IndexOf(header, PictureColumn);
        List<string> missing = [.. benchmark.RequiredColumns.Where(column => !header.Contains(column))];
        if (picture < 0 && !header.Contains(PathColumn))
            missing.Add($"{PictureColumn} or {PathColumn}");
        if (missing.Count > 0)
            throw new EvaluationException($"{path}: expected the columns {string.Join(", ", missing)}, found {string.Join(", ", header)}");
        TextTable table = new([.. header.Where(column => column != PictureColumn)]);
        List<(PicturePlacement Placement, string Source, RowProblem? Problem)> pictures = [];
        foreach (TsvRow row in TsvReader.ReadRows(path))
        {
            pictures.Add(Picture(row, picture < 0 ? "" : row.Cells[picture], path, benchmark, header));
            table.Add(picture < 0 ? row.Cells : [.. row.Cells.Where((_, column) => column != picture)]);
        }

        return Complete(benchmark, path, table, pictures);
    }

    private static DataSet Complete(Benchmark benchmark, string path, TextTable table, List<(PicturePlacement Placement, string Source, RowProblem? Problem)> pictures)
    {
        Dictionary<string, int> rows = new(StringComparer.Ordinal);
        List<DataSetSample> samples = [];
        int leftOut = 0;
        for (int row = 0; row < table.Count; row++)
            rows.TryAdd(table[row, "index"], row);
        for (int row = 0; row < table.Count; row++)
        {
            string index = table[row, "index"];
            (PicturePlacement placement, string source, RowProblem? problem) = pictures.Count == 0 ? (PicturePlacement.None, "", null) : pictures[row];
            if (benchmark.Kind == BenchmarkKind.Hallusion && placement == PicturePlacement.None && problem is null)
            {
                leftOut++;
                continue;
            }

            if (placement == PicturePlacement.OtherRow && !(rows.TryGetValue(source, out int other) && pictures[other].Placement is PicturePlacement.Embedded or PicturePlacement.File))
                problem ??= new RowProblem(row + 1, index, PictureColumn, $"expected base64, or the index of a row with a picture, found '{Shortened(source)}'");
            problem ??= CellProblem(benchmark, table, row, index, rows);
            samples.Add(new DataSetSample(row, index, placement, source, problem));
        }

        if (samples.Count == 0)
            throw new EvaluationException($"{path}: expected samples, found none");
        return new DataSet { Benchmark = benchmark, Path = path, Hash = HashOf(path), Table = table, Samples = samples, LeftOut = leftOut };
    }

    private static RowProblem? CellProblem(Benchmark benchmark, TextTable table, int row, string index, Dictionary<string, int> rows)
    {
        if (index.Length == 0)
            return new RowProblem(row + 1, index, "index", "expected an index, found nothing");
        if (rows[index] != row)
            return new RowProblem(row + 1, index, "index", $"expected an index of its own, found that of row {rows[index] + 1}");
        if (benchmark.Kind == BenchmarkKind.Circular && !PythonNumber.TryInteger(index, out _))
            return new RowProblem(row + 1, index, "index", "expected an integer");
        if (benchmark.Kind == BenchmarkKind.Hallusion && index.Split('_').Length < 5)
            return new RowProblem(row + 1, index, "index", "expected CATEGORY_SUBCATEGORY_N_SET_FIGURE_QUESTION");
        return table[row, "question"].Length == 0 ? new RowProblem(row + 1, index, "question", "expected a question, found nothing") : null;
    }

    private static (PicturePlacement Placement, string Source, RowProblem? Problem) Picture(TsvRow row, string cell, string path, Benchmark benchmark, string[] header)
    {
        string index = row.Cells[Array.IndexOf(header, "index")];
        string first = FirstPicture(cell);
        if (first.Length > LongestReference)
            return Base64.IsValid(first) ? (PicturePlacement.Embedded, "", null)
                : (PicturePlacement.Embedded, "", new RowProblem(row.Number, index, PictureColumn, $"expected base64, found '{Shortened(first)}' with {first.Length} characters"));
        if (first.Length > 0)
            return (PicturePlacement.OtherRow, first, null);
        int pathColumn = Array.IndexOf(header, PathColumn);
        string file = pathColumn < 0 ? "" : FirstPicture(row.Cells[pathColumn]);
        if (file.Length == 0)
            return benchmark.Kind == BenchmarkKind.Hallusion ? (PicturePlacement.None, "", null)
                : (PicturePlacement.None, "", new RowProblem(row.Number, index, PictureColumn, "expected a picture, found nothing"));
        return Beside(file, path, benchmark) is { } found ? (PicturePlacement.File, found, null)
            : (PicturePlacement.File, file, new RowProblem(row.Number, index, PathColumn, $"expected a picture file beside the data set, or in images/{benchmark.Name}, found no '{file}'"));
    }

    private static string? Beside(string file, string path, Benchmark benchmark)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return new[] { Path.Combine(folder, file), Path.Combine(folder, "images", benchmark.Name, file) }.FirstOrDefault(File.Exists);
    }

    private static string HashOf(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "...";
}

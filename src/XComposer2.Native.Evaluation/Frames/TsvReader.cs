using System.Text;
using Sylvan.Data.Csv;

namespace XComposer2.Native.Evaluation.Frames;

/// <summary>One row of a TSV file: its number, 1 for the first below the header, and its cells.</summary>
internal sealed record TsvRow(int Number, string[] Cells);

/// <summary>Reads TSV files as pandas does: quoted cells with tabs and line ends, cells of any length, a byte order mark.</summary>
internal static class TsvReader
{
    /// <summary>A cell holds a picture in base64, which may have tens of megabytes.</summary>
    private const int LongestRowChars = 512 << 20;

    private const int FirstBufferChars = 1 << 16;

    /// <summary>The names of the columns.</summary>
    /// <exception cref="EvaluationException">The file cannot be read, or is empty.</exception>
    public static string[] ReadHeader(string path)
    {
        using CsvDataReader reader = Open(path);
        return Header(reader, path);
    }

    /// <summary>The rows in their order, one at a time.</summary>
    /// <exception cref="EvaluationException">The file cannot be read, or a row has more cells than the header, or a quotation mark is not closed; the row is named.</exception>
    public static IEnumerable<TsvRow> ReadRows(string path)
    {
        using CsvDataReader reader = Open(path);
        int columns = Header(reader, path).Length;
        for (int number = 1; Next(reader, path, number); number++)
        {
            if (reader.RowFieldCount > columns)
                throw new EvaluationException($"{path}, row {number}: expected {columns} columns, found {reader.RowFieldCount}");
            string[] cells = new string[columns];
            for (int i = 0; i < columns; i++)
                cells[i] = i < reader.RowFieldCount ? reader.GetString(i) : "";
            yield return new TsvRow(number, cells);
        }
    }

    /// <summary>The whole file.</summary>
    /// <exception cref="EvaluationException">As <see cref="ReadRows"/>.</exception>
    public static TextTable ReadTable(string path)
    {
        TextTable table = new(ReadHeader(path));
        foreach (TsvRow row in ReadRows(path))
            table.Add(row.Cells);
        return table;
    }

    private static CsvDataReader Open(string path)
    {
        StreamReader? text = null;
        try
        {
            text = new StreamReader(path, new UTF8Encoding(false, true), detectEncodingFromByteOrderMarks: true, FirstBufferChars);
            return CsvDataReader.Create(text, new CsvDataReaderOptions
            {
                Delimiter = '\t',
                HasHeaders = true,
                BufferSize = FirstBufferChars,
                MaxBufferSize = LongestRowChars,
                HeaderComparer = StringComparer.Ordinal,
                OwnsReader = true,
            });
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CsvFormatException or DecoderFallbackException)
        {
            text?.Dispose();
            throw new EvaluationException($"{path}: cannot be read as a TSV file: {failure.Message}", failure);
        }
    }

    private static string[] Header(CsvDataReader reader, string path)
    {
        string[] names = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
        return names.Length > 0 ? names : throw new EvaluationException($"{path}: expected a header with the names of the columns, found an empty file");
    }

    private static bool Next(CsvDataReader reader, string path, int number)
    {
        try
        {
            return reader.Read();
        }
        catch (Exception failure) when (failure is IOException or CsvFormatException or DecoderFallbackException or InvalidOperationException)
        {
            throw new EvaluationException($"{path}, row {number}: {failure.Message}", failure);
        }
    }
}

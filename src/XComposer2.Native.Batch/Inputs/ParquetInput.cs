using System.Globalization;
using System.Runtime.CompilerServices;
using Parquet;
using Parquet.Schema;
using XComposer2.Native.Model;

namespace XComposer2.Native.Batch;

/// <summary>A Parquet file: a column of pictures (bytes, a text as in JSON lines, or a struct of bytes and path), and columns of texts and numbers as fields for
/// templates. One row group is in memory at a time.</summary>
/// <param name="name">The file.</param>
/// <param name="columns">What is read of it.</param>
internal sealed class ParquetInput(string name, TableColumns columns) : IBatchInput
{
    /// <summary>Bytes of a row group's columns, as they claim; more is refused before anything is read.</summary>
    private const long MaximumGroupBytes = 2L << 30;

    private const int MaximumGroupRows = 4 << 20;

    public string Name => name;

    public long? Count(CancellationToken cancellation) => CountAsync(cancellation).GetAwaiter().GetResult();

    public async IAsyncEnumerable<InputRow> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        using FileStream file = InputFile.Open(name);
        ParquetReader reader = await OpenAsync(file, cancellation).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            DataField[] wanted = [.. reader.Schema.GetDataFields().Where(IsWanted)];
            long first = 1;
            for (int group = 0; group < reader.RowGroupCount; group++)
            {
                cancellation.ThrowIfCancellationRequested();
                (RowGroup? rows, InputRow? problem) = await ReadGroupAsync(reader, group, first, wanted, cancellation).ConfigureAwait(false);
                if (problem is not null)
                {
                    yield return problem;
                    // Where the next group begins is not known of a damaged one.
                    yield break;
                }

                for (int row = 0; row < rows!.Count; row++)
                    yield return Row(rows, row, first + row);
                first += rows.Count;
            }
        }
    }

    private async Task<long?> CountAsync(CancellationToken cancellation)
    {
        using FileStream file = InputFile.Open(name);
        ParquetReader reader = await OpenAsync(file, cancellation).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
            return reader.Metadata?.RowGroups.Sum(static group => group.NumRows);
    }

    private async Task<ParquetReader> OpenAsync(FileStream file, CancellationToken cancellation)
    {
        try
        {
            return await ParquetReader.CreateAsync(file, null, leaveStreamOpen: true, cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (IsDamage(error))
        {
            throw new BatchException($"{name}: expected a Parquet file: {error.Message}", error);
        }
    }

    private async Task<(RowGroup? Rows, InputRow? Problem)> ReadGroupAsync(ParquetReader reader, int index, long first, DataField[] wanted, CancellationToken cancellation)
    {
        string place = $"{name}, row group {index} from row {first}", column = "";
        try
        {
            using ParquetRowGroupReader group = reader.OpenRowGroupReader(index);
            if (group.RowCount is < 0 or > MaximumGroupRows)
                return (null, Refuse($"expected at most {MaximumGroupRows} rows, found {group.RowCount}"));
            long bytes = wanted.Sum(field => group.GetMetadata(field)?.MetaData?.TotalUncompressedSize ?? 0);
            if (bytes is < 0 or > MaximumGroupBytes)
                return (null, Refuse($"expected at most {MaximumGroupBytes} bytes, found {bytes}"));
            RowGroup rows = new((int)group.RowCount);
            foreach (DataField field in wanted)
            {
                column = $", column {field.Path}";
                if (await ReadColumnAsync(group, field, rows.Count, cancellation).ConfigureAwait(false) is { } values)
                    rows.Columns.Add(field.Path.ToString(), values);
            }

            return (rows, null);
        }
        catch (Exception error) when (IsDamage(error))
        {
            return (null, Refuse(error.Message));
        }

        InputRow Refuse(string why) => InputRow.Unreadable($"row {first}", place + column, $"{why}; the rest of the file is not read");
    }

    private static async Task<Array?> ReadColumnAsync(ParquetRowGroupReader group, DataField field, int count, CancellationToken cancellation)
    {
        if (field.ClrType == typeof(ReadOnlyMemory<char>))
        {
            var texts = new string?[count];
            await group.ReadAsync(field, texts.AsMemory()!, cancellationToken: cancellation).ConfigureAwait(false);
            return texts;
        }

        if (field.ClrType == typeof(ReadOnlyMemory<byte>))
        {
            var bytes = new byte[]?[count];
            await group.ReadAsync(field, bytes.AsMemory()!, cancellationToken: cancellation).ConfigureAwait(false);
            return bytes;
        }

        return field.ClrType == typeof(int) ? await NumbersAsync<int>().ConfigureAwait(false)
            : field.ClrType == typeof(long) ? await NumbersAsync<long>().ConfigureAwait(false)
            : field.ClrType == typeof(float) ? await NumbersAsync<float>().ConfigureAwait(false)
            : field.ClrType == typeof(double) ? await NumbersAsync<double>().ConfigureAwait(false)
            : field.ClrType == typeof(bool) ? await NumbersAsync<bool>().ConfigureAwait(false)
            : null;

        async Task<Array> NumbersAsync<T>()
            where T : struct
        {
            var values = new T?[count];
            await group.ReadAsync<T>(field, values.AsMemory(), cancellationToken: cancellation).ConfigureAwait(false);
            return values;
        }
    }

    // Columns of lists and of structs other than the picture's have no value for each row.
    private bool IsWanted(DataField field)
    {
        string path = field.Path.ToString();
        return field.MaxRepetitionLevel == 0 && (!path.Contains('/', StringComparison.Ordinal) || path == $"{columns.Image}/bytes" || path == $"{columns.Image}/path");
    }

    private InputRow Row(RowGroup rows, int row, long number)
    {
        string place = $"{name}, row {number}", id = $"row {number}";
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        foreach ((string column, Array values) in rows.Columns)
            if (column != columns.Image && !column.Contains('/', StringComparison.Ordinal) && TextOf(values, row) is { } text)
                fields[column] = text;
        id = fields.GetValueOrDefault(columns.Id) ?? id;
        try
        {
            RowPicture? picture = Picture(rows, row, $"{place}, {columns.Image}");
            return new InputRow { Id = id, Place = place, Fields = fields, Prompt = fields.GetValueOrDefault(columns.Prompt), Pictures = picture is { } found ? [found] : [] };
        }
        catch (ImageException error)
        {
            return new InputRow { Id = id, Place = place, Failure = new SampleFailure(FailureKind.Picture, error.Message) };
        }
    }

    private RowPicture? Picture(RowGroup rows, int row, string place)
    {
        foreach (string column in (ReadOnlySpan<string>)[columns.Image, $"{columns.Image}/bytes", $"{columns.Image}/path"])
        {
            if (!rows.Columns.TryGetValue(column, out Array? values))
                continue;
            if (values is byte[]?[] pictures && pictures[row] is { } bytes)
                return new RowPicture(place, bytes);
            if (values is string?[] texts && texts[row] is { } text)
                return RowPicture.Of(text, InputFile.FolderOf(name), place);
        }

        return null;
    }

    private static string? TextOf(Array values, int row) => values switch
    {
        string?[] texts => texts[row],
        byte[]?[] => null,
        bool?[] flags => flags[row] is { } flag ? (flag ? "true" : "false") : null,
        int?[] numbers => numbers[row]?.ToString(CultureInfo.InvariantCulture),
        long?[] numbers => numbers[row]?.ToString(CultureInfo.InvariantCulture),
        float?[] numbers => numbers[row]?.ToString(CultureInfo.InvariantCulture),
        double?[] numbers => numbers[row]?.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    // The library throws what its arithmetic runs into, an index out of range for example.
    private static bool IsDamage(Exception error) => error is not (OperationCanceledException or BatchException);

    private sealed class RowGroup(int count)
    {
        public int Count => count;

        public Dictionary<string, Array> Columns { get; } = new(StringComparer.Ordinal);
    }
}

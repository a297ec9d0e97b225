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

    private const int MaximumGroupRows = 4 << 20, Unread = -1;

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
                (RowGroup? rows, InputRow? problem) = await ReadGroupAsync(file, reader, group, first, wanted, cancellation).ConfigureAwait(false);
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
            return reader.Metadata?.RowGroups.Aggregate(0L, static (sum, group) => unchecked(sum + Math.Max(group.NumRows, 0)));
    }

    private async Task<ParquetReader> OpenAsync(FileStream file, CancellationToken cancellation)
    {
        try
        {
            ParquetGuard.CheckFooter(file);
            ParquetReader reader = await ParquetReader.CreateAsync(file, null, leaveStreamOpen: true, cancellation).ConfigureAwait(false);
            // Made when it is first asked for.
            _ = reader.Schema.GetDataFields();
            return reader;
        }
        catch (Exception error) when (IsDamage(error))
        {
            throw new BatchException($"{name}: expected a Parquet file: {error.Message}", error);
        }
    }

    private async Task<(RowGroup? Rows, InputRow? Problem)> ReadGroupAsync(FileStream file, ParquetReader reader, int index, long first, DataField[] wanted, CancellationToken cancellation)
    {
        string place = $"{name}, row group {index} from row {first}", column = "";
        try
        {
            using ParquetRowGroupReader group = reader.OpenRowGroupReader(index);
            if (group.RowCount is < 0 or > MaximumGroupRows)
                return (null, Refuse($"expected at most {MaximumGroupRows} rows, found {group.RowCount}"));
            foreach (DataField field in wanted)
                if (group.GetMetadata(field)?.MetaData is { } chunk && chunk.NumValues != group.RowCount)
                    return (null, Refuse($"expected {group.RowCount} values in column {field.Path}, found {chunk.NumValues}"));
            long bytes = wanted.Sum(field => group.GetMetadata(field)?.MetaData?.TotalUncompressedSize ?? 0);
            if (bytes is < 0 or > MaximumGroupBytes)
                return (null, Refuse($"expected at most {MaximumGroupBytes} bytes, found {bytes}"));
            RowGroup rows = new((int)group.RowCount);
            foreach (DataField field in wanted)
            {
                column = $", column {field.Path}";
                if (group.GetMetadata(field)?.MetaData is not { } chunk)
                    continue;
                // A dictionary precedes the pages that use it.
                ParquetGuard.CheckPages(file, chunk.DictionaryPageOffset is > 0 and var dictionary ? Math.Min(dictionary, chunk.DataPageOffset) : chunk.DataPageOffset, chunk.TotalCompressedSize);
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
            return await Values<ReadOnlyMemory<char>, string>(static text => text.ToString()).ConfigureAwait(false);
        if (field.ClrType == typeof(ReadOnlyMemory<byte>))
            return await Values<ReadOnlyMemory<byte>, byte[]>(static bytes => bytes.ToArray()).ConfigureAwait(false);
        return field.ClrType == typeof(int) ? await Values<int, string>(static number => number.ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false)
            : field.ClrType == typeof(long) ? await Values<long, string>(static number => number.ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false)
            : field.ClrType == typeof(float) ? await Values<float, string>(static number => number.ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false)
            : field.ClrType == typeof(double) ? await Values<double, string>(static number => number.ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false)
            : field.ClrType == typeof(bool) ? await Values<bool, string>(static flag => flag ? "true" : "false").ConfigureAwait(false)
            : null;

        // The library's own alignment of values with rows is wrong for members of structs: it is done here, by definition levels.
        async Task<Array> Values<TStored, TValue>(Func<TStored, TValue> convert)
            where TStored : struct
            where TValue : class
        {
            var packed = new TStored[count];
            int[]? levels = field.MaxDefinitionLevel > 0 ? new int[count] : null;
            levels?.AsSpan().Fill(Unread);
            await group.ReadRawAsync(field, packed.AsMemory(), levels is null ? (Memory<int>?)null : levels.AsMemory(), null, cancellation).ConfigureAwait(false);
            var values = new TValue?[count];
            int next = 0;
            for (int row = 0; row < count; row++)
            {
                if (levels is not null && levels[row] == Unread)
                    throw new InvalidDataException($"expected {count} values, found {row}");
                values[row] = levels is null || levels[row] == field.MaxDefinitionLevel ? convert(packed[next++]) : null;
            }

            return values;
        }
    }

    // Columns of lists and of structs other than the picture's have no value for each row.
    private bool IsWanted(DataField field)
    {
        string path = field.Path.ToString();
        return field.MaxRepetitionLevel == 0 && (!path.Contains('/', StringComparison.Ordinal) || IsPictureColumn(path));
    }

    private bool IsPictureColumn(string path) => path == columns.Image || path == $"{columns.Image}/bytes" || path == $"{columns.Image}/path";

    private InputRow Row(RowGroup rows, int row, long number)
    {
        string place = $"{name}, row {number}", id = $"row {number}";
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        foreach ((string column, Array values) in rows.Columns)
            if (!IsPictureColumn(column) && values is string?[] texts && texts[row] is { } text)
                fields[column] = text;
        id = fields.GetValueOrDefault(columns.Id) ?? id;
        try
        {
            RowPicture? picture = Picture(rows, row, $"{place}, {columns.Image}");
            return new InputRow { Id = id, Place = place, Fields = fields, Prompt = fields.GetValueOrDefault(columns.Prompt), Pictures = picture is { } found ? [found] : [], LacksPicture = picture is null && rows.Columns.Keys.Any(IsPictureColumn) };
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
            if (values is byte[]?[] pictures && pictures[row] is { Length: > 0 } bytes)
                return new RowPicture(place, bytes);
            if (values is string?[] texts && texts[row] is { Length: > 0 } text)
                return RowPicture.Of(text, InputFile.FolderOf(name), place);
        }

        return null;
    }

    // The library throws what its arithmetic runs into, an index out of range for example.
    private static bool IsDamage(Exception error) => error is not (OperationCanceledException or BatchException);

    private sealed class RowGroup(int count)
    {
        public int Count => count;

        public Dictionary<string, Array> Columns { get; } = new(StringComparer.Ordinal);
    }
}

using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace XComposer2.Native.Batch;

/// <summary>Makes a Parquet file of a file of results when a run is complete: a column a field.</summary>
internal static class ParquetResults
{
    private const int GroupRows = 20_000;

    private static readonly string[] texts = ["id", "image", "prompt", "status", "text", "finish_reason", "filter"];

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="path">The Parquet file.</param>
    /// <param name="logPath">Complete results.</param>
    /// <param name="cancellation">Leaves no file.</param>
    /// <exception cref="BatchException">It cannot be written, or a result is damaged.</exception>
    public static void Write(string path, string logPath, CancellationToken cancellation) =>
        WholeFile.Write(path, stream => WriteAsync(stream, logPath, cancellation).GetAwaiter().GetResult());

    private static async Task WriteAsync(Stream stream, string logPath, CancellationToken cancellation)
    {
        DataField number = new DataField<long>("number"), tokens = new DataField<int?>("tokens");
        DataField[] textFields = [.. texts.Append("error_code").Append("error_message").Select(static name => new DataField<string>(name))];
        var schema = new ParquetSchema([number, .. textFields, tokens]);
        ParquetWriter writer = await ParquetWriter.CreateAsync(schema, stream, cancellationToken: cancellation).ConfigureAwait(false);
        await using (writer.ConfigureAwait(false))
        {
            foreach (List<JsonElement> rows in Groups(logPath, cancellation))
            {
                using ParquetRowGroupWriter group = writer.CreateRowGroup();
                await group.WriteAsync<long>(number, rows.Select(static row => row.GetProperty("number").GetInt64()).ToArray(), cancellationToken: cancellation).ConfigureAwait(false);
                for (int column = 0; column < textFields.Length; column++)
                    await group.WriteAsync(textFields[column], (IReadOnlyCollection<string>)rows.Select(row => TextOf(row, textFields[column].Name)).ToArray()!).ConfigureAwait(false);
                await group.WriteAsync<int>(tokens, rows.Select(static row => row.TryGetProperty("tokens", out JsonElement count) ? count.GetInt32() : (int?)null).ToArray(), cancellationToken: cancellation).ConfigureAwait(false);
            }
        }
    }

    private static string? TextOf(JsonElement row, string field)
    {
        if (field.StartsWith("error_", StringComparison.Ordinal))
            return row.TryGetProperty("error", out JsonElement error) ? TextOf(error, field["error_".Length..]) : null;
        return row.TryGetProperty(field, out JsonElement value) ? value.GetString() : null;
    }

    private static IEnumerable<List<JsonElement>> Groups(string logPath, CancellationToken cancellation)
    {
        using FileStream file = new(logPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        List<JsonElement> rows = [];
        foreach (ByteLine line in InputFile.Lines(logPath, file, ResultLog.MaximumLineBytes, cancellation))
        {
            using JsonDocument document = JsonDocument.Parse(line.Bytes);
            rows.Add(document.RootElement.Clone());
            if (rows.Count < GroupRows)
                continue;
            yield return rows;
            rows = [];
        }

        if (rows.Count > 0)
            yield return rows;
    }
}

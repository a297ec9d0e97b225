using System.Text.Json;

namespace XComposer2.Native.Batch;

/// <summary>Results that an earlier run has written: enough to pass over their rows, and to finish what a kill may have cut off behind them.</summary>
/// <param name="path">The file of results, for messages.</param>
/// <param name="format">Of its lines.</param>
internal sealed class EarlierResults(string path, ResultFormat format)
{
    // One number of 32 bits a row; the seed of hashes is that of this process.
    private readonly List<int> ids = [];
    private readonly Queue<WrittenResult> last = new();
    private readonly List<byte[]> errors = [];

    public long Count => ids.Count;

    /// <summary>Results by status.</summary>
    public long[] ByStatus { get; } = new long[3];

    /// <summary>Lines of rows without an answer.</summary>
    public IReadOnlyList<byte[]> Errors => errors;

    /// <summary>Writes a caption again, which a kill may have left unwritten.</summary>
    public Action<string, string>? WriteCaption { get; init; }

    /// <summary>Takes one line.</summary>
    /// <exception cref="BatchException">It is not of this format.</exception>
    public void Add(long number, JsonElement line)
    {
        WrittenResult result;
        try
        {
            result = format.Read(line);
        }
        catch (BatchException error)
        {
            throw new BatchException($"{path}, line {number + 1}: {error.Message}", error);
        }

        ids.Add(StringComparer.Ordinal.GetHashCode(result.Id));
        ByStatus[(int)result.Status]++;
        if (result.Status == ResultStatus.Error)
            errors.Add(System.Text.Encoding.UTF8.GetBytes(line.GetRawText()));
        last.Enqueue(result);
        if (last.Count > BatchRunner.MaximumGroup)
            last.Dequeue();
    }

    /// <summary>Compares a row with the result that it should have.</summary>
    /// <exception cref="BatchException">The result is that of another row.</exception>
    public void Check(long index, BatchSample<RowSource> sample)
    {
        if (ids[(int)index] != StringComparer.Ordinal.GetHashCode(sample.Id))
            throw new BatchException($"{path}, line {index + 1}: the inputs have changed since: the row at this place is now '{sample.Id}'");
        if (index < Count - last.Count)
            return;
        WrittenResult result = last.ElementAt((int)(index - (Count - last.Count)));
        if (result.Status == ResultStatus.Ok && sample.Source.CaptionPath is { } caption && result.Text is { } text)
            WriteCaption?.Invoke(caption, text);
    }

    /// <exception cref="BatchException">There are more results than rows.</exception>
    public void RequireCount(long rows)
    {
        if (rows < Count)
            throw new BatchException($"{path}: the inputs have changed since: it has {Count} results, they have {rows} rows");
    }
}

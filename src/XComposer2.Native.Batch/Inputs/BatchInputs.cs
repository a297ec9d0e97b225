using System.Text.Json;

namespace XComposer2.Native.Batch;

/// <summary>Kinds of inputs.</summary>
internal enum InputKind
{
    /// <summary>A folder of pictures.</summary>
    Folder,

    /// <summary>A text file of paths.</summary>
    List,

    /// <summary>An object a line.</summary>
    JsonLines,

    /// <summary>A Parquet file.</summary>
    Parquet,

    /// <summary>A tar shard.</summary>
    Tar,

    /// <summary>Requests as OpenAI's batch API takes them.</summary>
    OpenAi,
}

/// <summary>Finds out what kind an input is, and opens it.</summary>
internal static class BatchInputs
{
    /// <exception cref="BatchException">It is missing, empty, or of no known kind.</exception>
    public static InputKind KindOf(string path)
    {
        if (Directory.Exists(path))
            return InputKind.Folder;
        using FileStream file = InputFile.Open(path);
        string name = Path.GetFileName(path).ToLowerInvariant();
        return name.EndsWith(".parquet", StringComparison.Ordinal) ? InputKind.Parquet
            : name.EndsWith(".tar", StringComparison.Ordinal) || name.EndsWith(".tar.gz", StringComparison.Ordinal) || name.EndsWith(".tgz", StringComparison.Ordinal) ? InputKind.Tar
            : name.EndsWith(".jsonl", StringComparison.Ordinal) || name.EndsWith(".ndjson", StringComparison.Ordinal) ? IsOpenAi(path, file) ? InputKind.OpenAi : InputKind.JsonLines
            : name.EndsWith(".txt", StringComparison.Ordinal) || name.EndsWith(".lst", StringComparison.Ordinal) ? InputKind.List
            : throw new BatchException($"{path}: expected a folder, a list of files (.txt), .jsonl, .parquet, .tar or .tar.gz");
    }

    /// <param name="path">The folder or file.</param>
    /// <param name="kind">Not <see cref="InputKind.OpenAi"/>, which needs the model's template.</param>
    /// <param name="columns">Columns of tables.</param>
    public static IBatchInput Open(string path, InputKind kind, TableColumns columns) => kind switch
    {
        InputKind.Folder => new FolderInput(path),
        InputKind.List => new ListInput(path),
        InputKind.JsonLines => new JsonLinesInput(path, columns),
        InputKind.Parquet => new ParquetInput(path, columns),
        InputKind.Tar => new TarInput(path, columns),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "expected an input of rows"),
    };

    // By its first line.
    private static bool IsOpenAi(string path, FileStream file)
    {
        ByteLine? first = InputFile.Lines(path, file, JsonLinesInput.LongestLineBytes, CancellationToken.None).Select(static line => (ByteLine?)line).FirstOrDefault();
        try
        {
            if (first is not { IsTooLong: false } line)
                return false;
            using JsonDocument document = JsonDocument.Parse(line.Bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("custom_id", out _) && document.RootElement.TryGetProperty("body", out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

using XComposer2.Native.Model;

namespace XComposer2.Native.Batch;

/// <summary>One row, file or entry of an input: what is known before it is asked.</summary>
internal sealed record InputRow
{
    private static readonly Dictionary<string, string> none = new(StringComparer.Ordinal);

    /// <summary>Name in results.</summary>
    public required string Id { get; init; }

    /// <summary>Where it is, for messages: "rows.jsonl, line 3".</summary>
    public required string Place { get; init; }

    /// <summary>Texts that a template can name.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = none;

    public IReadOnlyList<RowPicture> Pictures { get; init; } = [];

    /// <summary>There is a place for a picture, and none in it.</summary>
    public bool LacksPicture { get; init; }

    /// <summary>The row's own prompt; null for none.</summary>
    public string? Prompt { get; init; }

    /// <summary>A whole request of another layout, which makes its own prompt; null for none.</summary>
    public IRowRequest? Request { get; init; }

    /// <summary>Why it cannot be asked; null if it can.</summary>
    public SampleFailure? Failure { get; init; }

    public static InputRow Unreadable(string id, string place, string why, FailureKind kind = FailureKind.Input) =>
        new() { Id = id, Place = place, Failure = new SampleFailure(kind, $"{place}: {why}") };
}

/// <summary>A request with prompt, pictures and options of its own.</summary>
internal interface IRowRequest
{
    /// <summary>Checked when the row is read.</summary>
    GenerationOptions Options { get; }

    IReadOnlyList<int> StopIds { get; }

    /// <summary>Bytes of its pictures in memory.</summary>
    long HeldBytes { get; }

    /// <exception cref="XComposerException">The request is no conversation, or a picture is none.</exception>
    BatchPrompt Open(CancellationToken cancellation);
}

/// <summary>A picture of a row: a file, or bytes in memory.</summary>
/// <param name="Name">The path, or a name for messages.</param>
/// <param name="Bytes">Null for a file.</param>
internal readonly record struct RowPicture(string Name, ReadOnlyMemory<byte>? Bytes)
{
    private const string DataScheme = "data:", Base64Mark = ";base64,";
    private const int LongestPath = 4096, ShortestEncoded = 64;

    // PNG, JPEG, WebP and GIF begin so in base64.
    private static readonly string[] encodedBeginnings = ["iVBORw0KGgo", "/9j/", "UklGR", "R0lGOD"];

    public bool IsFile => Bytes is null;

    public static RowPicture File(string path) => new(path, null);

    /// <summary>A text of a table: a data URL, base64, or the path of a file.</summary>
    /// <param name="text">As it stands in the table.</param>
    /// <param name="folder">What paths are relative to.</param>
    /// <param name="place">Row and column, for messages.</param>
    /// <exception cref="ImageException">It is an address, or broken base64.</exception>
    public static RowPicture Of(string text, string folder, string place)
    {
        if (text.Length == 0)
            throw new ImageException($"{place}: expected a path, a data URL or base64, found an empty text");
        if (text.StartsWith(DataScheme, StringComparison.OrdinalIgnoreCase))
        {
            int mark = text.IndexOf(Base64Mark, StringComparison.OrdinalIgnoreCase);
            return mark < 0 ? throw new ImageException($"{place}: expected data:image/...;base64,...") : new RowPicture(place, Decode(text.AsSpan(mark + Base64Mark.Length), place));
        }

        if (text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
            throw new ImageException($"{place}: is an address, which is not downloaded; expected a path, a data URL or base64");
        if (text.Length > LongestPath || (text.Length >= ShortestEncoded && encodedBeginnings.Any(beginning => text.StartsWith(beginning, StringComparison.Ordinal))))
            return new RowPicture(place, Decode(text, place));
        return text.Contains('\0') ? throw new ImageException($"{place}: expected a path, found a text with a zero character") : File(Path.Combine(folder, text));
    }

    public ImageInput Open(ExifOrientation orientation) => Bytes is { } bytes ? ImageInput.FromBytes(bytes, Name, orientation) : ImageInput.FromFile(Name, orientation);

    private static byte[] Decode(ReadOnlySpan<char> text, string place)
    {
        byte[] bytes = new byte[((long)text.Length * 3 / 4) + 3];
        return Convert.TryFromBase64Chars(text, bytes, out int written) && written > 0
            ? bytes[..written]
            : throw new ImageException($"{place}: expected base64, found text that is not ({text.Length} characters)");
    }
}

/// <summary>Where rows come from.</summary>
internal interface IBatchInput
{
    /// <summary>As the user named it.</summary>
    string Name { get; }

    /// <summary>Rows that it has; null where only reading it tells.</summary>
    /// <exception cref="BatchException">It cannot be read.</exception>
    long? Count(CancellationToken cancellation);

    /// <summary>All rows, in an order that does not change. What is damaged is a row with a failure, so that nothing is left out in silence.</summary>
    /// <exception cref="BatchException">It cannot be read at all.</exception>
    IAsyncEnumerable<InputRow> ReadAsync(CancellationToken cancellation);
}

using System.Text;
using System.Text.Json;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// Captions that lie beside pictures: <c>photo.txt</c>, <c>photo.caption</c> or <c>photo.png.txt</c> for one picture, or a <c>captions.json</c>
/// (an object of captions by file, or a list of objects with "file" and "caption") or <c>captions.csv</c> (file, caption) for those of a folder and below.
/// </summary>
internal sealed class SidecarCaptions(string root, GalleryListing listing, GalleryNotes notes)
{
    private const int MaxTextBytes = 64 << 10;
    private const int MaxTableBytes = 64 << 20;

    private readonly Dictionary<string, string> tabled = new(StringComparer.Ordinal);

    /// <summary>Reads the tables; the other files are read when they are asked for.</summary>
    public void ReadTables()
    {
        foreach (string path in listing.TextBytes.Keys.Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(path);
            if (name is not ("captions.json" or "captions.csv"))
                continue;
            try
            {
                byte[] bytes = GalleryFile.Read(Path.Combine(root, path), MaxTableBytes);
                string folder = path[..^name.Length];
                if (name == "captions.json")
                    ReadJson(bytes, folder);
                else
                    ReadCsv(Encoding.UTF8.GetString(bytes), folder);
            }
            // JsonElement reports half a surrogate pair as an invalid operation.
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
            {
                notes.Add($"{path}: not used: {error.Message}");
            }
        }
    }

    /// <summary>A picture's caption; empty where it has none.</summary>
    public string Of(FoundPicture picture)
    {
        string stem = picture.Folder + picture.Stem;
        foreach (string path in (ReadOnlySpan<string>)[stem + ".txt", stem + ".caption", picture.Path + ".txt", picture.Path + ".caption"])
            if (listing.TextBytes.ContainsKey(path) && Read(path) is { Length: > 0 } caption)
                return caption;
        return tabled.GetValueOrDefault(picture.Path, string.Empty);
    }

    private string Read(string path)
    {
        try
        {
            return CaptionText.Clean(Encoding.UTF8.GetString(GalleryFile.ReadBeginning(Path.Combine(root, path), MaxTextBytes)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            notes.Add($"{path}: cannot be read: {error.Message}");
            return string.Empty;
        }
    }

    private void ReadJson(byte[] bytes, string folder)
    {
        ReadOnlyMemory<byte> text = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes.AsMemory(Encoding.UTF8.Preamble.Length) : bytes;
        using JsonDocument document = JsonDocument.Parse(text);
        switch (document.RootElement.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty caption in document.RootElement.EnumerateObject())
                    if (caption.Value.ValueKind == JsonValueKind.String)
                        Add(folder, caption.Name, caption.Value.GetString()!);
                break;
            case JsonValueKind.Array:
                foreach (JsonElement row in document.RootElement.EnumerateArray())
                    if (Text(row, "file") is { } file && Text(row, "caption") is { } caption)
                        Add(folder, file, caption);
                break;
            default:
                throw new JsonException("expected an object of captions by file, or a list");
        }
    }

    private void ReadCsv(string text, string folder)
    {
        foreach (IReadOnlyList<string> row in CsvRows.Read(text.TrimStart('\uFEFF')))
            if (row.Count >= 2)
                Add(folder, row[0], row[1]);
    }

    private void Add(string folder, string file, string caption)
    {
        string path = file.Replace('\\', '/');
        tabled[folder + (path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path)] = CaptionText.Clean(caption);
    }

    private static string? Text(JsonElement row, string name) =>
        row.ValueKind == JsonValueKind.Object && row.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>Rows of comma-separated values (RFC 4180): quotes around a field, two for one inside; a quote that never closes ends with the text.</summary>
internal static class CsvRows
{
    public static IEnumerable<IReadOnlyList<string>> Read(string text)
    {
        List<string> row = [];
        StringBuilder field = new();
        bool quoted = false;
        for (int index = 0; index < text.Length; index++)
        {
            char next = text[index];
            if (quoted && next == '"' && index + 1 < text.Length && text[index + 1] == '"')
                field.Append(text[index++]);
            else if (next == '"' && (quoted || field.Length == 0))
                quoted = !quoted;
            else if (quoted || next is not (',' or '\n' or '\r'))
                field.Append(next);
            else if (next == ',')
                EndField();
            else if (row.Count > 0 || field.Length > 0)
                yield return EndRow();
        }

        if (row.Count > 0 || field.Length > 0)
            yield return EndRow();

        void EndField()
        {
            row.Add(field.ToString());
            field.Clear();
        }

        IReadOnlyList<string> EndRow()
        {
            EndField();
            List<string> whole = row;
            row = [];
            return whole;
        }
    }
}

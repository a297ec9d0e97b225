using System.Runtime.CompilerServices;
using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Batch;

/// <summary>Names of the columns of a table.</summary>
/// <param name="Image">Pictures: a path, a data URL, base64, or an object of bytes and path; several in an array.</param>
/// <param name="Id">Names of rows.</param>
/// <param name="Prompt">Prompts of rows.</param>
internal sealed record TableColumns(string Image = "image", string Id = "id", string Prompt = "prompt");

/// <summary>An object a line. Its texts, numbers and truth values are fields for templates.</summary>
/// <param name="name">The file.</param>
/// <param name="columns">What is read of it.</param>
internal sealed class JsonLinesInput(string name, TableColumns columns) : IBatchInput
{
    /// <summary>Longest line.</summary>
    public const int LongestLineBytes = 256 << 20;

    public string Name => name;

    public long? Count(CancellationToken cancellation) => InputFile.CountLines(name, LongestLineBytes, cancellation);

    public async IAsyncEnumerable<InputRow> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        string folder = InputFile.FolderOf(name);
        using FileStream file = InputFile.Open(name);
        foreach (ByteLine line in InputFile.Lines(name, file, LongestLineBytes, cancellation))
            yield return Row(line, folder);
    }

    private InputRow Row(in ByteLine line, string folder)
    {
        string place = $"{name}, line {line.Number}", id = $"line {line.Number}";
        if (line.IsTooLong)
            return InputRow.Unreadable(id, place, $"expected an object, found more than {LongestLineBytes} bytes");
        try
        {
            using JsonDocument document = JsonDocument.Parse(line.Bytes);
            JsonElement row = document.RootElement;
            if (row.ValueKind != JsonValueKind.Object)
                return InputRow.Unreadable(id, place, $"expected an object, found {Describe(row)}");
            Dictionary<string, string> fields = JsonFields.Of(row, columns.Image);
            id = fields.GetValueOrDefault(columns.Id) ?? id;
            bool hasImage = row.TryGetProperty(columns.Image, out JsonElement image);
            List<RowPicture> pictures = hasImage ? Pictures(image, folder, $"{place}, {columns.Image}") : [];
            return new InputRow { Id = id, Place = place, Fields = fields, Prompt = fields.GetValueOrDefault(columns.Prompt), Pictures = pictures, LacksPicture = hasImage && pictures.Count == 0 };
        }
        catch (JsonException error)
        {
            return InputRow.Unreadable(id, place, $"expected an object: {error.Message}");
        }
        catch (InvalidOperationException)
        {
            return InputRow.Unreadable(id, place, "expected texts of whole characters, found half of a surrogate pair or bytes that are not UTF-8");
        }
        catch (ImageException error)
        {
            return new InputRow { Id = id, Place = place, Failure = new SampleFailure(FailureKind.Picture, error.Message) };
        }
    }

    private static List<RowPicture> Pictures(JsonElement value, string folder, string place) => value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.Array => [.. value.EnumerateArray().Select((element, index) => Picture(element, folder, $"{place}[{index}]"))],
        _ => [Picture(value, folder, place)],
    };

    private static RowPicture Picture(JsonElement value, string folder, string place)
    {
        if (value.ValueKind == JsonValueKind.String)
            return RowPicture.Of(value.GetString()!, folder, place);
        if (value.ValueKind != JsonValueKind.Object)
            throw new ImageException($"{place}: expected a text, or an object of bytes and path; found {Describe(value)}");
        if (value.TryGetProperty("bytes", out JsonElement bytes) && bytes.ValueKind != JsonValueKind.Null)
            return bytes.ValueKind == JsonValueKind.String && bytes.TryGetBytesFromBase64(out byte[]? decoded) ? new RowPicture(place, decoded) : throw new ImageException($"{place}.bytes: expected base64, found {Describe(bytes)}");
        return value.TryGetProperty("path", out JsonElement path) && path.ValueKind == JsonValueKind.String
            ? RowPicture.Of(path.GetString()!, folder, $"{place}.path")
            : throw new ImageException($"{place}: expected bytes or path, found neither");
    }

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}

/// <summary>Fields of an object that a template can name.</summary>
internal static class JsonFields
{
    /// <summary>Texts as they are; numbers and truth values as they are written.</summary>
    /// <exception cref="InvalidOperationException">A text is not Unicode.</exception>
    public static Dictionary<string, string> Of(JsonElement row, string? leftOut)
    {
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        foreach (JsonProperty property in row.EnumerateObject())
        {
            if (property.Name == leftOut)
                continue;
            if (property.Value.ValueKind == JsonValueKind.String)
                fields[property.Name] = property.Value.GetString()!;
            else if (property.Value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
                fields[property.Name] = property.Value.GetRawText();
        }

        return fields;
    }
}

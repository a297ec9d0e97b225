using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace XComposer2.Native.Model;

/// <summary>An object of a JSON file, read field by field; a field of another kind or out of bounds is an error that names it. An absent field, and null, is null.</summary>
internal readonly struct ConfigSection
{
    private readonly string file;
    private readonly string prefix;
    private readonly JsonElement? element;

    public ConfigSection(string file, string prefix, JsonElement? element)
    {
        this.file = file;
        this.prefix = prefix;
        this.element = element is { ValueKind: JsonValueKind.Null } ? null : element;
        if (this.element is { } found && found.ValueKind != JsonValueKind.Object)
            throw new CheckpointException(file, prefix.Length == 0 ? "root" : prefix.TrimEnd('.'), "a JSON object", $"{found.ValueKind}");
    }

    public bool Exists => element is not null;

    /// <summary>The document; the caller disposes it.</summary>
    public static JsonDocument ParseDocument(string file, ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonDocument.Parse(WithoutMark(json).ToArray().AsMemory());
        }
        catch (JsonException error)
        {
            throw new CheckpointException(file, "configuration", "well-formed JSON", CheckpointException.Show(error.Message), error);
        }
    }

    /// <summary>Removes a leading byte order mark.</summary>
    public static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        return text.StartsWith(mark) ? text[mark.Length..] : text;
    }

    public ConfigSection Section(string name) => new(file, $"{prefix}{name}.", Find(name));

    /// <summary>All fields, each of which must be an object.</summary>
    public IEnumerable<(string Name, ConfigSection Section)> Members()
    {
        if (element is not { } found)
            yield break;
        foreach (JsonProperty property in found.EnumerateObject())
            yield return (property.Name, new ConfigSection(file, $"{prefix}{property.Name}.", property.Value));
    }

    /// <summary>A number of bytes; null if absent.</summary>
    public long? Long(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= 0 ? number : throw Bad(name, "an integer of 0 or more", value);
    }

    public int? Integer(string name, int minimum, int maximum)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int number) || number < minimum || number > maximum)
            throw Bad(name, $"an integer of {minimum} to {maximum}", value);
        return number;
    }

    /// <summary>One integer or a list; null if absent.</summary>
    public IReadOnlyList<int>? Integers(string name, int minimum, int maximum, int mostCount)
    {
        if (Find(name) is not { ValueKind: JsonValueKind.Array } list)
            return Integer(name, minimum, maximum) is { } one ? [one] : null;
        if (list.GetArrayLength() > mostCount)
            throw Bad(name, $"at most {mostCount} integers", $"{list.GetArrayLength()}");
        List<int> numbers = [];
        foreach (JsonElement value in list.EnumerateArray())
        {
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int number) || number < minimum || number > maximum)
                throw Bad(name, $"integers of {minimum} to {maximum}", value);
            numbers.Add(number);
        }
        return numbers.Count == 0 ? null : numbers;
    }

    public double? Number(string name, double minimum, double maximum)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number) || !(number >= minimum && number <= maximum))
            throw Bad(name, FormattableString.Invariant($"a number of {minimum} to {maximum}"), value);
        return number;
    }

    public bool? Truth(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Bad(name, "true or false", value),
    };

    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => Unicode(name, () => value.GetString()!),
        { } value => throw Bad(name, "a text", value),
    };

    public CheckpointException Bad(string name, string expected, string found) => new(file, prefix + name, expected, found);

    // Not GetRawText, which refuses invalid UTF-8.
    private CheckpointException Bad(string name, string expected, JsonElement value) => Bad(name, expected, CheckpointException.Show(Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value))));

    private JsonElement? Find(string name)
    {
        if (element is not { } found)
            return null;
        (bool exists, JsonElement value) = Unicode(name, () => (found.TryGetProperty(name, out JsonElement property), property));
        return exists && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>Names and texts may hold half of a surrogate pair, which the JSON library notices only when it compares or decodes them.</summary>
    private T Unicode<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException error)
        {
            throw new CheckpointException(file, prefix + name, "names and texts in Unicode", "half of a surrogate pair", error);
        }
    }
}

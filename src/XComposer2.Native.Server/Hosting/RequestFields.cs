using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace XComposer2.Native.Server;

/// <summary>Reads fields of a JSON object of a request; each has a type and a range. Absent and null are the same. Unknown fields are ignored.</summary>
/// <param name="element">An object.</param>
/// <param name="path">Where it is in the request; empty for the request itself.</param>
internal readonly struct RequestFields(JsonElement element, string path)
{
    private const int ShownLength = 60;

    /// <summary>Characters of one text. A prompt of so many is longer than any context.</summary>
    public const int MaximumTextLength = 1 << 20;

    /// <exception cref="ApiException">Not an object.</exception>
    public static RequestFields Of(JsonElement element, string path = "") => element.ValueKind == JsonValueKind.Object
        ? new RequestFields(element, path)
        : throw (path.Length == 0 ? ApiException.Invalid(null, $"the request: expected an object, found {Show(element)}") : ApiException.Unexpected(path, "an object", Show(element)));

    /// <summary>Full name of a field.</summary>
    public string NameOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    public bool Has(string name) => TryGet(name, out _);

    public bool TryGet(string name, out JsonElement value) => element.TryGetProperty(name, out value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);

    /// <exception cref="ApiException">Not a text of whole characters, or too long.</exception>
    public string? Text(string name, int maximumLength = MaximumTextLength) => TryGet(name, out JsonElement value) ? TextOf(value, NameOf(name), maximumLength) : null;

    /// <exception cref="ApiException">As for <see cref="Text"/>, or the field is absent.</exception>
    public string RequiredText(string name) => Text(name) ?? throw ApiException.Invalid(NameOf(name), $"{NameOf(name)} is required");

    /// <exception cref="ApiException">Not an integer of the range.</exception>
    public int? Integer(string name, int minimum, int maximum)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        bool isInteger = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= minimum && number <= maximum;
        string range = maximum == int.MaxValue ? $"{minimum} or more" : $"{minimum} to {maximum}";
        return isInteger ? value.GetInt32() : throw ApiException.Unexpected(NameOf(name), $"an integer, {range}", Show(value));
    }

    /// <exception cref="ApiException">Not a number of the range.</exception>
    public float? Number(string name, float minimum, float maximum)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out float number) && number >= minimum && number <= maximum
            ? number
            : throw ApiException.Unexpected(NameOf(name), string.Create(CultureInfo.InvariantCulture, $"a number, {minimum} to {maximum}"), Show(value));
    }

    /// <exception cref="ApiException">Not a boolean.</exception>
    public bool Flag(string name, bool absent = false)
    {
        if (!TryGet(name, out JsonElement value))
            return absent;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw ApiException.Unexpected(NameOf(name), "true or false", Show(value));
    }

    /// <summary>Any 64-bit integer as a seed.</summary>
    /// <exception cref="ApiException">Not a 64-bit integer.</exception>
    public ulong? Seed(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long signed))
            return unchecked((ulong)signed);
        return value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out ulong seed) ? seed : throw ApiException.Unexpected(NameOf(name), "a 64-bit integer", Show(value));
    }

    /// <summary>A nested object; null where it is absent.</summary>
    /// <exception cref="ApiException">Not an object.</exception>
    public RequestFields? Nested(string name) => TryGet(name, out JsonElement value) ? Of(value, NameOf(name)) : null;

    /// <summary>Elements of an array with their names; empty where it is absent.</summary>
    /// <exception cref="ApiException">Not an array, or too long.</exception>
    public IEnumerable<(JsonElement Value, string Name)> Elements(string name, int maximum)
    {
        if (!TryGet(name, out JsonElement array))
            return [];
        string full = NameOf(name);
        if (array.ValueKind != JsonValueKind.Array)
            throw ApiException.Unexpected(full, "an array", Show(array));
        if (array.GetArrayLength() > maximum)
            throw ApiException.Unexpected(full, $"at most {maximum} elements", $"{array.GetArrayLength()}");
        return array.EnumerateArray().Select((value, index) => (value, $"{full}[{index}]"));
    }

    /// <exception cref="ApiException">Not a text of whole characters, or too long.</exception>
    public static string TextOf(JsonElement value, string name, int maximumLength = MaximumTextLength)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw ApiException.Unexpected(name, "a text", Show(value));
        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw ApiException.Unexpected(name, "a text of whole characters", "half of a surrogate pair, or bytes that are not UTF-8");
        }

        return text.Length <= maximumLength ? text : throw ApiException.Unexpected(name, $"at most {maximumLength} characters", $"{text.Length}");
    }

    /// <summary>A text in an error message: its beginning.</summary>
    public static string Quote(string text) => $"'{(text.Length <= ShownLength ? text : text[..ShownLength] + "...")}'";

    /// <summary>A value in an error message: its beginning.</summary>
    public static string Show(JsonElement value)
    {
        ReadOnlySpan<byte> raw = JsonMarshal.GetRawUtf8Value(value);
        if (value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
            return value.ValueKind == JsonValueKind.Object ? "an object" : "an array";
        string shown = Encoding.UTF8.GetString(raw[..Math.Min(raw.Length, ShownLength)]);
        return raw.Length > ShownLength ? shown + "..." : shown;
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>The request, with the field names of the original.</summary>
internal sealed record SimilarImagesRequest(string Caption, IReadOnlyList<long> Exclude, bool NeedIdxs);

/// <summary>Parses the response of an untrusted service.</summary>
internal static class SimilarImagesReply
{
    private const int MaxImages = 256;

    /// <returns>Pictures in the service's order without duplicates and excluded IDs.</returns>
    /// <exception cref="JsonException">Not JSON.</exception>
    /// <exception cref="InvalidDataException">Unexpected structure.</exception>
    public static List<SimilarImage> Read(ReadOnlyMemory<byte> reply, IReadOnlySet<string> excluded)
    {
        using JsonDocument document = JsonDocument.Parse(reply);
        JsonElement root = document.RootElement;
        if (TryProperty(root, "data", out JsonElement data))
            root = data;
        if (!TryArray(root, "image_urls", out JsonElement addresses) || !TryArray(root, "indices", out JsonElement indices))
            throw new InvalidDataException("the reply: expected arrays image_urls and indices");
        if (addresses.GetArrayLength() != indices.GetArrayLength())
            throw new InvalidDataException($"the reply has {addresses.GetArrayLength()} image_urls and {indices.GetArrayLength()} indices");
        List<SimilarImage> images = [];
        HashSet<string> seen = new(excluded, StringComparer.Ordinal);
        foreach ((JsonElement address, JsonElement index) in addresses.EnumerateArray().Zip(indices.EnumerateArray()).Take(MaxImages))
            if (index.ValueKind == JsonValueKind.Number && index.TryGetInt64(out long number) && Address(address) is { } found && seen.Add(number.ToString(CultureInfo.InvariantCulture)))
                images.Add(new SimilarImage(number.ToString(CultureInfo.InvariantCulture), found));
        return images;
    }

    private static bool TryArray(JsonElement parent, string name, out JsonElement array) => TryProperty(parent, name, out array) && array.ValueKind == JsonValueKind.Array;

    private static bool TryProperty(JsonElement parent, string name, out JsonElement value)
    {
        value = default;
        try
        {
            return parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out value);
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidDataException("the reply is not as expected: the name of a property has half of a surrogate pair", error);
        }
    }

    private static Uri? Address(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String)
            return null;
        try
        {
            return Uri.TryCreate(element.GetString(), UriKind.Absolute, out Uri? address) ? address : null;
        }
        catch (InvalidOperationException)
        {
            // An escaped half of a surrogate pair.
            return null;
        }
    }
}

/// <summary>A picture named by a service.</summary>
/// <param name="Id">Its index in the service, as decimal digits.</param>
/// <param name="Address">Absolute, unchecked.</param>
internal sealed record SimilarImage(string Id, Uri Address);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SimilarImagesRequest))]
internal sealed partial class ImageSearchJson : JsonSerializerContext;

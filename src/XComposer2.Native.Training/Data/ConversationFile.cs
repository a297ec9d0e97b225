using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using XComposer2.Native.Model;

namespace XComposer2.Native.Training;

/// <summary>
/// Reads the published layout: a JSON list of <c>{ "id", "conversations": [{ "from", "value" }], "image": path or list of paths }</c>, or the same objects as lines of a
/// <c>.jsonl</c> file. A text may also name its pictures in their places, as ms-swift writes them: <c>&lt;img&gt;path&lt;/img&gt;</c>.
/// </summary>
public static partial class ConversationFile
{
    private const int MaximumBytes = 1 << 30;

    /// <param name="path">The file. Pictures without a root lie below its folder.</param>
    /// <exception cref="TrainingDataException">The file is unreadable, or no list of conversations.</exception>
    public static IReadOnlyList<TrainingSample> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaximumBytes } file)
                throw new TrainingDataException($"{path}: expected at most {MaximumBytes} bytes, found {file.Length}");
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            if (path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase))
                return [.. File.ReadLines(path).Where(line => !string.IsNullOrWhiteSpace(line)).Select((line, number) => Line(path, folder, number, line))];
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Array)
                throw new TrainingDataException($"{path}: expected a list of samples, found {document.RootElement.ValueKind}");
            return [.. document.RootElement.EnumerateArray().Select((sample, number) => Sample(path, folder, number, sample))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new TrainingDataException($"{path}: {error.Message}", error);
        }
    }

    private static TrainingSample Line(string path, string folder, int number, string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return Sample(path, folder, number, document.RootElement);
    }

    private static TrainingSample Sample(string path, string folder, int number, JsonElement sample)
    {
        if (sample.ValueKind != JsonValueKind.Object || !sample.TryGetProperty("conversations", out JsonElement turns) || turns.ValueKind != JsonValueKind.Array || turns.GetArrayLength() == 0)
            throw new TrainingDataException($"{path}, sample {number}: expected conversations, found none");
        string id = sample.TryGetProperty("id", out JsonElement name) ? name.ToString() : FormattableString.Invariant($"{number}");
        var pictures = ImmutableArray.CreateBuilder<string>();
        if (sample.TryGetProperty("image", out JsonElement image) && image.ValueKind != JsonValueKind.Null)
            foreach (JsonElement value in image.ValueKind == JsonValueKind.Array ? (IEnumerable<JsonElement>)image.EnumerateArray() : [image])
                pictures.Add(Place(value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad($"image: expected a path or a list of paths, found {value.ValueKind}")));
        int listed = pictures.Count;
        ImmutableArray<TrainingTurn> all = [.. turns.EnumerateArray().Select(Turn)];
        if (listed > 0 && pictures.Count > listed)
            throw Bad("expected pictures in image or as <img> in the text, found both");
        return new TrainingSample(id, all, pictures.ToImmutable());

        TrainingTurn Turn(JsonElement turn)
        {
            if (turn.ValueKind != JsonValueKind.Object || !turn.TryGetProperty("from", out JsonElement from) || from.ValueKind != JsonValueKind.String
                || !turn.TryGetProperty("value", out JsonElement value) || value.ValueKind != JsonValueKind.String)
                throw Bad($"expected turns with from and value, found {turn}");
            string text = NamedPicture().Replace(value.GetString()!, found =>
            {
                pictures.Add(Place(found.Groups["path"].Value));
                return ChatTemplate.Placeholder;
            });
            return new TrainingTurn(from.GetString()!.ToUpperInvariant() is "HUMAN" or "USER", text);
        }

        string Place(string picture) => Uri.TryCreate(picture, UriKind.Absolute, out Uri? address) && !address.IsFile
            ? throw Bad($"image: expected a file, found the address {picture}")
            : Path.Combine(folder, picture);

        TrainingDataException Bad(string what) => new($"{path}, sample {number}: {what}");
    }

    [GeneratedRegex("<img>(?<path>[^<]+)</img>")]
    private static partial Regex NamedPicture();
}

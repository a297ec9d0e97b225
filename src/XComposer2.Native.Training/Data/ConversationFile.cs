using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using XComposer2.Native.Model;

namespace XComposer2.Native.Training;

/// <summary>
/// Reads the published layout: a JSON list of <c>{ "id", "conversations": [{ "from", "value" }], "image": path or list of paths }</c>, or the same objects as lines of a
/// <c>.jsonl</c> file; and those of ms-swift: <c>{ "query", "response", "history": [[question, answer]], "images" }</c> or <c>{ "messages": [{ "role", "content" }], "images" }</c>. A text may name
/// its pictures in their places, <c>&lt;img&gt;path&lt;/img&gt;</c>. A sample of another layout is kept with its <see cref="TrainingSample.Fault"/>, so that it can be left out, named and counted.
/// </summary>
public static partial class ConversationFile
{
    private const int MaximumBytes = 1 << 30;

    /// <param name="path">The file. Pictures without a root lie below its folder.</param>
    /// <exception cref="TrainingDataException">The file is unreadable, no list, or has no sample of a known layout.</exception>
    public static IReadOnlyList<TrainingSample> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaximumBytes } file)
                throw new TrainingDataException($"{path}: expected at most {MaximumBytes} bytes, found {file.Length}");
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            List<TrainingSample> samples = path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) ? Lines(path, folder) : List(path, folder);
            return samples.Count > 0 && samples.TrueForAll(sample => sample.Fault is not null) ? throw new TrainingDataException(samples[0].Fault!) : samples;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new TrainingDataException($"{path}: {error.Message}", error);
        }
    }

    private static List<TrainingSample> List(string path, string folder)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.ValueKind == JsonValueKind.Array
            ? [.. document.RootElement.EnumerateArray().Select((sample, number) => Sample(path, folder, number, sample))]
            : throw new TrainingDataException($"{path}: expected a list of samples, found {document.RootElement.ValueKind}");
    }

    private static List<TrainingSample> Lines(string path, string folder)
    {
        List<TrainingSample> samples = [];
        foreach (string line in File.ReadLines(path).Where(line => !string.IsNullOrWhiteSpace(line)))
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                samples.Add(Sample(path, folder, samples.Count, document.RootElement));
            }
            catch (JsonException error)
            {
                samples.Add(Faulty(samples.Count, new TrainingDataException($"{path}, sample {samples.Count}: {error.Message}")));
            }
        }

        return samples;
    }

    private static TrainingSample Sample(string path, string folder, int number, JsonElement sample)
    {
        try
        {
            return new SampleReader($"{path}, sample {number}", folder).Read(sample, number);
        }
        catch (TrainingDataException error)
        {
            return Faulty(number, error);
        }
    }

    private static TrainingSample Faulty(int number, TrainingDataException error) => new(FormattableString.Invariant($"{number}"), [], []) { Fault = error.Message };

    private sealed class SampleReader(string place, string folder)
    {
        private readonly ImmutableArray<string>.Builder pictures = ImmutableArray.CreateBuilder<string>();

        public TrainingSample Read(JsonElement sample, int number)
        {
            if (sample.ValueKind != JsonValueKind.Object)
                throw Bad($"expected conversations, found {sample.ValueKind}");
            string id = sample.TryGetProperty("id", out JsonElement name) ? name.ToString() : FormattableString.Invariant($"{number}");
            foreach (string list in (string[])["image", "images"])
                if (sample.TryGetProperty(list, out JsonElement image) && image.ValueKind != JsonValueKind.Null)
                    foreach (JsonElement value in image.ValueKind == JsonValueKind.Array ? (IEnumerable<JsonElement>)image.EnumerateArray() : [image])
                        pictures.Add(PathOf(value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad($"{list}: expected a path or a list of paths, found {value.ValueKind}")));
            int listed = pictures.Count;
            ImmutableArray<TrainingTurn> turns = [.. Turns(sample)];
            if (listed > 0 && pictures.Count > listed)
                throw Bad("expected pictures in image or as <img> in the text, found both");
            return new TrainingSample(id, turns, pictures.ToImmutable());
        }

        private IEnumerable<TrainingTurn> Turns(JsonElement sample)
        {
            if (sample.TryGetProperty("conversations", out JsonElement list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0)
                return list.EnumerateArray().Select(turn => Turn(turn, "from", "value"));
            if (sample.TryGetProperty("messages", out list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0)
                return list.EnumerateArray().Select(turn => Turn(turn, "role", "content"));
            if (!sample.TryGetProperty("query", out JsonElement query) || !sample.TryGetProperty("response", out JsonElement response))
                throw Bad("expected conversations, found none");
            JsonElement[] before = sample.TryGetProperty("history", out JsonElement history) && history.ValueKind == JsonValueKind.Array
                ? [.. history.EnumerateArray().SelectMany(pair => pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2 ? pair.EnumerateArray() : throw Bad($"history: expected pairs of texts, found {pair}"))]
                : [];
            return before.Append(query).Append(response).Select((text, i) => new TrainingTurn(i % 2 == 0, Text(text.ValueKind == JsonValueKind.String ? text.GetString()! : throw Bad($"query, response and history: expected texts, found {text}"))));
        }

        private TrainingTurn Turn(JsonElement turn, string side, string text)
        {
            if (turn.ValueKind != JsonValueKind.Object || !turn.TryGetProperty(side, out JsonElement from) || from.ValueKind != JsonValueKind.String
                || !turn.TryGetProperty(text, out JsonElement value) || value.ValueKind != JsonValueKind.String)
                throw Bad($"expected turns with {side} and {text}, found {turn}");
            string speaker = from.GetString()!.ToUpperInvariant();
            return speaker == "SYSTEM" ? throw Bad("expected turns of a user and an assistant, as the model was trained, found one of the system") : new TrainingTurn(speaker is "HUMAN" or "USER", Text(value.GetString()!));
        }

        private string Text(string text) => NamedPicture().Replace(text, found =>
        {
            if (found.Groups["path"] is { Length: > 0 } path)
                pictures.Add(PathOf(path.Value));
            return ChatTemplate.Placeholder;
        });

        private string PathOf(string picture) => Uri.TryCreate(picture, UriKind.Absolute, out Uri? address) && !address.IsFile
            ? throw Bad($"image: expected a file, found the address {picture}")
            : Path.Combine(folder, picture);

        private TrainingDataException Bad(string what) => new($"{place}: {what}");
    }

    // ms-swift's places without a path are those of its list of images.
    [GeneratedRegex("<img>(?<path>[^<]*)</img>|<image>")]
    private static partial Regex NamedPicture();
}

using System.Collections.Immutable;
using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Training;

/// <summary>A conversation to learn from.</summary>
/// <param name="Id">For messages.</param>
/// <param name="Turns">At least one.</param>
/// <param name="Pictures">Paths, in the order of their places in the text.</param>
public sealed record TrainingSample(string Id, ImmutableArray<TrainingTurn> Turns, ImmutableArray<string> Pictures);

/// <summary>What one side says.</summary>
/// <param name="IsQuestion">Of the user; otherwise it is learnt.</param>
/// <param name="Text">With <c>&lt;ImageHere&gt;</c> where a picture stands.</param>
public readonly record struct TrainingTurn(bool IsQuestion, string Text);

/// <summary>A file or a sample that cannot be learnt from: the message names the file, the sample, what was expected and what was found.</summary>
public sealed class TrainingDataException : XComposerException
{
    public TrainingDataException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>Reads the published layout: a JSON list of <c>{ "id", "conversations": [{ "from", "value" }], "image": path or list of paths }</c>.</summary>
public static class ConversationFile
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
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Array)
                throw new TrainingDataException($"{path}: expected a list of samples, found {document.RootElement.ValueKind}");
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            return [.. document.RootElement.EnumerateArray().Select((sample, number) => Sample(path, folder, number, sample))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new TrainingDataException($"{path}: {error.Message}", error);
        }
    }

    private static TrainingSample Sample(string path, string folder, int number, JsonElement sample)
    {
        if (sample.ValueKind != JsonValueKind.Object || !sample.TryGetProperty("conversations", out JsonElement turns) || turns.ValueKind != JsonValueKind.Array || turns.GetArrayLength() == 0)
            throw new TrainingDataException($"{path}, sample {number}: expected conversations, found none");
        string id = sample.TryGetProperty("id", out JsonElement name) ? name.ToString() : FormattableString.Invariant($"{number}");
        ImmutableArray<string> pictures = [];
        if (sample.TryGetProperty("image", out JsonElement image) && image.ValueKind != JsonValueKind.Null)
            pictures = image.ValueKind == JsonValueKind.Array ? [.. image.EnumerateArray().Select(Picture)] : [Picture(image)];
        return new TrainingSample(id, [.. turns.EnumerateArray().Select(Turn)], pictures);

        string Picture(JsonElement value) => value.ValueKind == JsonValueKind.String
            ? Path.Combine(folder, value.GetString()!)
            : throw new TrainingDataException($"{path}, sample {number}: image: expected a path or a list of paths, found {value.ValueKind}");

        TrainingTurn Turn(JsonElement turn)
        {
            if (turn.ValueKind != JsonValueKind.Object || !turn.TryGetProperty("from", out JsonElement from) || from.ValueKind != JsonValueKind.String
                || !turn.TryGetProperty("value", out JsonElement value) || value.ValueKind != JsonValueKind.String)
                throw new TrainingDataException($"{path}, sample {number}: expected turns with from and value, found {turn}");
            return new TrainingTurn(from.GetString()!.ToUpperInvariant() is "HUMAN" or "USER", value.GetString()!);
        }
    }
}

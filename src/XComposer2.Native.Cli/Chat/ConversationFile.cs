using System.Text;
using System.Text.Json;

namespace XComposer2.Native.Cli;

/// <summary>A conversation in a file: Markdown to read, JSON to work with and to continue.</summary>
internal static class ConversationFile
{
    private const int MaximumTurns = 10_000;
    private const long MaximumFileBytes = 64L << 20;

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">Ends in .md or .json. An existing file is replaced.</param>
    /// <param name="model">What answered.</param>
    /// <param name="system">Text of the system turn; null for none.</param>
    /// <param name="turns">At least one.</param>
    /// <exception cref="UsageException">The name ends in something else.</exception>
    /// <exception cref="IOException">The file cannot be written; what was there is untouched.</exception>
    public static void Write(string path, string model, string? system, IReadOnlyList<ChatExchange> turns)
    {
        string text = Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".JSON" => JsonSerializer.Serialize(ConversationJson.Of(model, system, turns), CliJson.Indented.ConversationJson) + "\n",
            ".MD" => Markdown(model, system, turns),
            _ => throw new UsageException("the file name has to end in .md or .json"),
        };
        Replace(path, text);
    }

    /// <summary>Reads what <see cref="Write"/> has written as JSON.</summary>
    /// <exception cref="IOException">The file cannot be read, or is not a conversation.</exception>
    public static ConversationJson Read(string path)
    {
        if (!File.Exists(path))
            throw new IOException($"{path}: {(Directory.Exists(path) ? "is a folder" : "no such file")}");
        if (new FileInfo(path).Length > MaximumFileBytes)
            throw new IOException($"{path}: has more than {MaximumFileBytes} bytes, the limit");
        ConversationJson? file;
        try
        {
            file = JsonSerializer.Deserialize(File.ReadAllBytes(path), CliJson.Lines.ConversationJson);
        }
        catch (JsonException error)
        {
            throw new IOException($"{path}: expected a conversation in JSON, as /save writes it: {error.Message}", error);
        }

        if (file?.Turns is not { Count: > 0 and <= MaximumTurns } turns)
            throw new IOException($"{path}: turns: expected 1 to {MaximumTurns}, found {file?.Turns?.Count ?? 0}");
        for (int index = 0; index < turns.Count; index++)
            if (turns[index] is null || turns[index].Question is null || turns[index].Answer is null)
                throw new IOException($"{path}: turns[{index}]: expected a question and an answer");
        return file;
    }

    private static string Markdown(string model, string? system, IReadOnlyList<ChatExchange> turns)
    {
        StringBuilder text = new();
        text.Append("# Conversation with ").Append(model).Append("\n\n");
        if (!string.IsNullOrEmpty(system))
            text.Append("> ").Append(system.ReplaceLineEndings("\n> ")).Append("\n\n");
        foreach (ChatExchange turn in turns)
        {
            text.Append("**You**\n\n");
            foreach (ImageInput image in turn.Question.Images)
                text.Append($"![{Path.GetFileName(image.Name)}](<{image.Name}>)\n\n");
            text.Append(turn.Question.Text).Append("\n\n**Model**\n\n").Append(turn.Answer.Text).Append("\n\n");
            if (turn.Answer.FinishReason == FinishReason.Stopped)
                text.Append("*(stopped)*\n\n");
        }
        return text.ToString();
    }

    private static void Replace(string path, string text)
    {
        // A link stays one: the file behind it is replaced.
        string? linked = File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null;
        string target = linked ?? Path.GetFullPath(path);
        if (Directory.Exists(target))
            throw new IOException($"{path}: is a folder");
        string temporary = $"{target}.{Environment.ProcessId}.tmp";
        try
        {
            using (FileStream file = new(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(Encoding.UTF8.GetBytes(text));
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}

/// <summary>A saved conversation.</summary>
internal sealed record ConversationJson(string Model, string? System, IReadOnlyList<TurnJson> Turns)
{
    public static ConversationJson Of(string model, string? system, IEnumerable<ChatExchange> turns) => new(model, system, [.. turns.Select(TurnJson.Of)]);
}

/// <summary>One turn of a saved conversation.</summary>
internal sealed record TurnJson(string Question, IReadOnlyList<string> Images, string Answer, string FinishReason, ulong Seed)
{
    public static TurnJson Of(ChatExchange turn) => new(
        turn.Question.Text, [.. turn.Question.Images.Select(image => image.Name)], turn.Answer.Text, ChatJson.FinishName(turn.Answer.FinishReason), turn.Answer.Seed);

    /// <param name="images">Pictures of the question.</param>
    public ChatExchange ToExchange(IReadOnlyList<ImageInput> images) => new(
        new UserMessage(Question, images), new GenerationResult(Answer, ChatJson.FinishReasonOf(FinishReason), [], Seed, new TokenUsage(0, 0, 0, 0), new GenerationTimings()));
}

using System.Text.Encodings.Web;
using System.Text.Json;

namespace XComposer2.Native.Batch;

/// <summary>What decides the answers of a run, by name: the model, the prompt, sampling, the inputs. It lies beside the results, so that a run is only resumed as it
/// was begun.</summary>
internal sealed class RunSettings
{
    /// <summary>Added to the name of the file of results.</summary>
    public const string Extension = ".run.json";

    private const long MaximumBytes = 16L << 20;

    private readonly List<(string Name, string Value)> entries = [];

    /// <summary>In the order in which they were added.</summary>
    public IReadOnlyList<(string Name, string Value)> Entries => entries;

    /// <exception cref="ArgumentException">There is one of this name.</exception>
    public RunSettings Add(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        if (entries.Exists(entry => entry.Name == name))
            throw new ArgumentException($"the setting {name} was added before", nameof(name));
        entries.Add((name, value));
        return this;
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="BatchException">It cannot be written.</exception>
    public void Save(string path) => WholeFile.Write(path, stream =>
    {
        using Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        foreach ((string name, string value) in entries)
            writer.WriteString(name, value);
        writer.WriteEndObject();
    });

    /// <summary>Opens the file so that no other run can: the lock of the run.</summary>
    /// <exception cref="BatchException">Another run holds it, or it is unreadable.</exception>
    public static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BatchException($"{path}: cannot be locked: {error.Message}", error);
        }
    }

    /// <param name="path">For messages.</param>
    /// <param name="stream">The file.</param>
    /// <exception cref="BatchException">The file is unreadable, or not one of settings.</exception>
    public static RunSettings Load(string path, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        RunSettings settings = new();
        try
        {
            if (stream.Length > MaximumBytes)
                throw new BatchException($"{path}: expected the settings of a run, found a file of {stream.Length} bytes");
            using JsonDocument document = JsonDocument.Parse(stream);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new BatchException($"{path}: expected an object, found {document.RootElement.ValueKind}");
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
                settings.Add(property.Name, property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : throw new BatchException($"{path}: {property.Name}: expected a text, found {property.Value.ValueKind}"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or ArgumentException or InvalidOperationException)
        {
            throw new BatchException($"{path}: expected the settings of a run: {error.Message}", error);
        }

        return settings;
    }

    /// <summary>Refuses settings of another run, and names what differs.</summary>
    /// <param name="path">The file of results, for the message.</param>
    /// <param name="found">As saved when it was begun.</param>
    /// <exception cref="BatchException">One differs.</exception>
    public void RequireSame(string path, RunSettings found)
    {
        foreach ((string name, string value) in entries)
        {
            string? before = found.entries.Find(entry => entry.Name == name).Value;
            if (before != value)
                throw new BatchException($"{path}: was begun with other settings: {name} was {Show(before)}, is {Show(value)}");
        }

        if (found.entries.Find(entry => !entries.Exists(own => own.Name == entry.Name)).Name is { } surplus)
            throw new BatchException($"{path}: was begun with other settings: {surplus} was {Show(found.entries.Find(entry => entry.Name == surplus).Value)}, is not set");
    }

    private static string Show(string? value)
    {
        const int Shown = 200;
        return value is null ? "not set" : $"'{(value.Length <= Shown ? value : value[..Shown] + "...")}'";
    }
}

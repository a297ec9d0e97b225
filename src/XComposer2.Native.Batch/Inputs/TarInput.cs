using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Batch;

/// <summary>A tar shard as WebDataset has them: neighbouring files with the same name up to the first dot are one row. Pictures by their endings; texts (txt, caption,
/// text, cls, prompt) are fields of the name of their ending, and so are the fields of a json file. Names are labels only: nothing is written or opened by them.</summary>
/// <param name="name">The archive, compressed where its name ends with gz.</param>
/// <param name="columns">Names of rows and prompts in json files.</param>
internal sealed class TarInput(string name, TableColumns columns) : IBatchInput
{
    private const int LongestText = 1 << 20;

    private static readonly HashSet<string> texts = new(StringComparer.Ordinal) { "txt", "text", "caption", "cls", "prompt" };

    public string Name => name;

    private bool IsCompressed => name.EndsWith("gz", StringComparison.OrdinalIgnoreCase);

    // Headers alone, since the content of a plain archive is passed over.
    public long? Count(CancellationToken cancellation) => IsCompressed ? null : Rows(readsContent: false, cancellation).LongCount();

    public async IAsyncEnumerable<InputRow> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (InputRow row in Rows(readsContent: true, cancellation))
            yield return row;
    }

    private IEnumerable<InputRow> Rows(bool readsContent, CancellationToken cancellation)
    {
        using FileStream file = InputFile.Open(name);
        using Stream content = IsCompressed ? new GZipStream(file, CompressionMode.Decompress, leaveOpen: true) : file;
        var entries = new TarEntries(content);
        Sample? sample = null;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            (TarEntry? entry, string? damage) = Next(entries);
            if (entry is { } found)
            {
                (string key, string ending) = Split(found.Name);
                // Hidden files, and what archivers of other systems add.
                if (key.Length == 0)
                    continue;
                if (sample?.Key != key)
                {
                    if (sample?.Row(columns) is { } before)
                        yield return before;
                    sample = new Sample(key, $"{name}, {key}");
                }

                damage = readsContent ? sample.Add(found, ending, entries) : sample.Pass(ending);
            }

            if (damage is null && entry is not null)
                continue;
            // Files of it may be missing.
            if (damage is not null)
                sample?.Fail(damage);
            if (sample?.Row(columns) is { } last)
                yield return last;
            if (damage is not null)
                yield return InputRow.Unreadable(Path.GetFileName(name), name, $"{damage}; the rest of the archive is not read");
            yield break;
        }
    }

    private static (TarEntry? Entry, string? Damage) Next(TarEntries entries)
    {
        try
        {
            return (entries.Next(), null);
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            return (null, error.Message);
        }
    }

    /// <summary>"folder/name" and "seg.png" of "folder/name.seg.png".</summary>
    private static (string Key, string Ending) Split(string path)
    {
        int start = path.LastIndexOf('/') + 1, dot = path.IndexOf('.', start);
        return dot <= start ? ("", "") : (path[..dot], path[(dot + 1)..].ToLowerInvariant());
    }

    private sealed class Sample(string key, string place)
    {
        private readonly Dictionary<string, string> fields = new(StringComparer.Ordinal) { ["key"] = key, ["name"] = key[(key.LastIndexOf('/') + 1)..] };
        private readonly List<RowPicture> pictures = [];
        private SampleFailure? failure;
        private bool isEmpty = true;

        public string Key => key;

        public void Fail(string why) => failure ??= new SampleFailure(FailureKind.Input, $"{place}: {why}");

        public string? Pass(string ending)
        {
            isEmpty &= !PictureNames.IsPicture(LastOf(ending)) && !IsText(ending);
            return null;
        }

        /// <returns>Why the archive cannot be read further; null if it can.</returns>
        public string? Add(in TarEntry entry, string ending, TarEntries entries)
        {
            bool isPicture = PictureNames.IsPicture(LastOf(ending));
            if (!isPicture && !IsText(ending))
                return null;
            isEmpty = false;
            long limit = isPicture ? ImageLimits.Default.MaxFileBytes : LongestText;
            try
            {
                if (entries.Read(limit) is not { } bytes)
                    failure ??= new SampleFailure(FailureKind.Input, $"{place}.{ending}: expected at most {limit} bytes, found {entry.SizeBytes}");
                else if (isPicture)
                    pictures.Add(new RowPicture($"{place}.{ending}", bytes));
                else
                    AddText(ending, bytes);
                return null;
            }
            catch (Exception error) when (error is InvalidDataException or IOException)
            {
                failure ??= new SampleFailure(FailureKind.Input, $"{place}.{ending}: {error.Message}");
                return error.Message;
            }
        }

        /// <returns>Null where none of its files is a picture or a text.</returns>
        public InputRow? Row(TableColumns columns) => isEmpty ? null : new InputRow
        {
            Id = fields.GetValueOrDefault(columns.Id) ?? key,
            Place = place,
            Fields = fields,
            Prompt = fields.GetValueOrDefault(columns.Prompt),
            Pictures = pictures,
            LacksPicture = pictures.Count == 0,
            Failure = failure,
        };

        private static bool IsText(string ending) => texts.Contains(ending) || ending == "json";

        private static string LastOf(string ending) => ending[(ending.LastIndexOf('.') + 1)..];

        private void AddText(string ending, byte[] bytes)
        {
            if (ending != "json")
            {
                fields[ending] = Encoding.UTF8.GetString(bytes).Trim();
                return;
            }

            try
            {
                using JsonDocument document = JsonDocument.Parse(bytes);
                if (document.RootElement.ValueKind == JsonValueKind.Object)
                    foreach ((string field, string value) in JsonFields.Of(document.RootElement, null))
                        fields.TryAdd(field, value);
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException)
            {
                failure ??= new SampleFailure(FailureKind.Input, $"{place}.json: {error.Message}");
            }
        }
    }
}

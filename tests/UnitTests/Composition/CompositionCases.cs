using System.Text.Json;
using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.UnitTests;

/// <summary>tools/demo/compose/cases.json: articles, edits, and the content of each gallery picture.</summary>
internal sealed class CompositionCases
{
    private CompositionCases(JsonElement root)
    {
        foreach (JsonElement picture in root.GetProperty("gallery").EnumerateArray())
            Shown.Add(picture.GetProperty("file").GetString()!, [picture.GetProperty("en").GetString()!, picture.GetProperty("zh").GetString()!]);
        Articles = [.. root.GetProperty("articles").EnumerateArray().Select(one => new CompositionCase(
            one.GetProperty("instruction").GetString()!, Texts(one, "objects"), one.GetProperty("figures") is { ValueKind: JsonValueKind.Number } figures ? figures.GetInt32() : null))];
        Edits = [.. root.GetProperty("edits").EnumerateArray().Select(one => new EditCase(
            Texts(one, "sections"), EditOf(one.GetProperty("op").GetString()!), one.GetProperty("section").GetInt32() - 1, one.GetProperty("instruction").GetString()!, one.GetProperty("mentions").GetString()!))];
        Minimum = root.GetProperty("at_least").EnumerateObject().ToDictionary(one => one.Name, one => one.Value.GetInt32());
    }

    public static CompositionCases Demo { get; } = Load();

    public static string GalleryFolder => TestPaths.Repository("tools/demo/compose/gallery");

    public IReadOnlyList<CompositionCase> Articles { get; }

    public IReadOnlyList<EditCase> Edits { get; }

    /// <summary>The content of each picture, in English and Chinese.</summary>
    public Dictionary<string, string[]> Shown { get; } = [];

    /// <summary>Required scores of the demo checkpoint.</summary>
    public IReadOnlyDictionary<string, int> Minimum { get; }

    /// <summary>The gallery in memory, with correct captions.</summary>
    public PictureSource Captioned() => new("gallery", new ShelfSource([.. Shown.Select(picture =>
        new ImageCandidate(picture.Key, picture.Key, string.Join(' ', picture.Value), File.ReadAllBytes(Path.Combine(GalleryFolder, picture.Key))))]));

    private static SectionEdit EditOf(string op) => op switch
    {
        "rewrite" => SectionEdit.Rewrite,
        "expand" => SectionEdit.Expand,
        "abbreviate" => SectionEdit.Abbreviate,
        "insert-before" => SectionEdit.InsertBefore,
        "insert-after" => SectionEdit.InsertAfter,
        _ => throw new InvalidDataException(op),
    };

    private static string[] Texts(JsonElement one, string name) => [.. one.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];

    private static CompositionCases Load()
    {
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Repository("tools/demo/compose/cases.json")));
        return new CompositionCases(cases.RootElement);
    }
}

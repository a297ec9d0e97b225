using System.Text.Json;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Scoring;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>One folder entry of golden/scoring: a data set, the answers to it, and what the official code made of them.</summary>
internal sealed class ScoringCase
{
    public ScoringCase(string name, string answerColumn = "prediction")
    {
        string folder = TestPaths.Shared("golden/scoring");
        Table = TsvReader.ReadTable(Path.Combine(folder, $"{name}.tsv"));
        TextTable predictions = TsvReader.ReadTable(Path.Combine(folder, $"{name}.predictions.tsv"));
        for (int i = 0; i < predictions.Count; i++)
            Answers[predictions[i, "index"]] = predictions[i, answerColumn];
        Expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, $"{name}.expected.json"))).RootElement;
    }

    public TextTable Table { get; }

    public Dictionary<string, string> Answers { get; } = [];

    public JsonElement Expected { get; }

    public List<string> Differences { get; } = [];

    public JsonElement Rows => Expected.GetProperty("rows");

    public AnswerSheet Sheet(AnswerFile file) => new(Table, Answers, file);

    public static AnswerFile FileOf(string variant) => variant switch
    {
        "main" => AnswerFile.Tsv,
        "raw" => AnswerFile.None,
        "pandas_1" => AnswerFile.TsvOfPandas1,
        "xlsx" => AnswerFile.Xlsx,
        _ => throw new ArgumentOutOfRangeException(nameof(variant)),
    };

    /// <summary>A field of a row: of the variant where that states it (null there is "as in the file"), else of the main result.</summary>
    public JsonElement? Field(string variant, string index, string field, bool nullIsAbsent = false)
    {
        if (variant != "main" && Expected.GetProperty("variants").GetProperty(variant).GetProperty("rows").TryGetProperty(index, out JsonElement changed)
            && changed.TryGetProperty(field, out JsonElement value))
            return nullIsAbsent && value.ValueKind == JsonValueKind.Null ? null : value;
        return Rows.GetProperty(index).TryGetProperty(field, out JsonElement main) ? main : null;
    }

    /// <summary>A table of the variant, or of the main result where the variant has none of its own.</summary>
    public JsonElement ExpectedTable(string variant, string name) =>
        variant != "main" && Expected.GetProperty("variants").GetProperty(variant).TryGetProperty(name, out JsonElement table) ? table : Expected.GetProperty(name);

    public void Compare(string what, object? expected, object? actual)
    {
        if (!Equals(expected, actual))
            Differences.Add($"{what}: expected {expected ?? "null"}, found {actual ?? "null"}");
    }

    public void CompareTable(string what, JsonElement expected, ScoreTable actual)
    {
        Dictionary<string, double> wanted = Flat(expected);
        Dictionary<string, double> found = actual.Rows.SelectMany(row => row.Values.Select(value => (Key: row.Name.Length == 0 ? value.Key : $"{row.Name}/{value.Key}", value.Value)))
            .ToDictionary(value => value.Key, value => value.Value);
        foreach ((string key, double value) in wanted)
            if (!found.Remove(key, out double other) || !value.Equals(other))
                Differences.Add($"{what} {key}: expected {value:R}, found {other:R}");
        Differences.AddRange(found.Keys.Select(key => $"{what} {key}: not expected"));
    }

    public void AssertSame() => Assert.True(Differences.Count == 0, $"{Differences.Count} differences:\n{string.Join('\n', Differences.Take(30))}");

    public static string? Text(JsonElement? element) => element is not { } value || value.ValueKind == JsonValueKind.Null ? null : value.ToString();

    public static bool Hit(JsonElement? element) => element is { } value && (value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.Number && value.GetDouble() == 1));

    private static Dictionary<string, double> Flat(JsonElement table)
    {
        Dictionary<string, double> flat = [];
        foreach (JsonProperty row in table.EnumerateObject())
            if (row.Value.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty value in row.Value.EnumerateObject())
                    if (value.Name != "printed_short")
                        flat[$"{row.Name}/{value.Name}"] = Number(value.Value);
            }
            else if (row.Name != "printed_short")
            {
                flat[row.Name] = Number(row.Value);
            }

        return flat;
    }

    private static double Number(JsonElement value) => value.ValueKind == JsonValueKind.String ? double.NaN : value.GetDouble();
}

using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>Cases that SentencePiece wrote for one model.</summary>
public sealed record TokenizerCases(TextTokenizer Tokenizer, IReadOnlyList<(string Text, int[] Ids)> Encode, IReadOnlyList<(int[] Ids, string Text)> Decode, IReadOnlyList<(string Question, int[] Ids)> Prompts)
{
    private const string Published = "golden/tokenizer/internlm2.tokenizer.model";

    /// <summary>Every clone has these two.</summary>
    public static IReadOnlyList<string> Own { get; } = ["demo", "small"];

    /// <summary>"demo", "small", "internlm2" (the published model, beside the repository) or "shared" (its cases from there too).</summary>
    public static TokenizerCases Read(string name) => name switch
    {
        "demo" => Read(TestPaths.Repository("tools/demo/checkpoint/tokenizer.model"), TestPaths.Golden("tokenizer/demo.json")),
        "small" => Read(TestPaths.Golden("tokenizer/small.model"), TestPaths.Golden("tokenizer/small.json")),
        "internlm2" => Read(TestPaths.Shared(Published), TestPaths.Golden("tokenizer/internlm2.json")),
        _ => Read(TestPaths.Shared(Published), TestPaths.Shared("golden/tokenizer/cases.json")),
    };

    public static TextTokenizer ReadModel(string path)
    {
        using FileBytes bytes = FileBytes.Map(path);
        return TextTokenizer.Read(bytes);
    }

    private static TokenizerCases Read(string model, string cases)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(cases));
        JsonElement root = document.RootElement;
        return new TokenizerCases(ReadModel(model), [.. Cases("encode", "text")], [.. Cases("decode", "text").Select(c => (c.Ids, c.Text))], [.. Cases("prompt", "question")]);

        IEnumerable<(string Text, int[] Ids)> Cases(string list, string text) => root.TryGetProperty(list, out JsonElement found)
            ? found.EnumerateArray().Select(c => (c.GetProperty(text).GetString()!, c.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray()))
            : [];
    }
}

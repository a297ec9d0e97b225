using System.Text.Json;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>One entry of a golden cases.json about pictures.</summary>
internal sealed record ImageCase(string File, int Size, string Expected, int[] SourceSize, double[] Mean, double[] Deviation, double[] First, double[] Last)
{
    public static List<ImageCase> ReadAll(string folder)
    {
        using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        List<ImageCase> cases = [];
        foreach (JsonElement entry in document.RootElement.EnumerateArray())
        {
            double[] Numbers(string name) => [.. entry.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];
            cases.Add(new(
                Path.Combine(folder, entry.GetProperty("file").GetString()!),
                entry.GetProperty("size").GetInt32(),
                Path.Combine(folder, entry.GetProperty("expected").GetString()!),
                [.. Numbers("source_size").Select(value => (int)value)],
                Numbers("normalized_mean"), Numbers("normalized_std"), Numbers("first_pixel"), Numbers("last_pixel")));
        }
        Assert.NotEmpty(cases);
        return cases;
    }
}

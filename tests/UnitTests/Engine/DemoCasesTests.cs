using System.Text.Json;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The demo checkpoint's own answers to sixty questions, by the reference implementation.</summary>
public sealed class DemoCasesTests(DemoEngine demo) : IClassFixture<DemoEngine>
{
    private static readonly GenerationOptions Greedy = new() { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 400 };

    public static TheoryData<int> Cases
    {
        get
        {
            using JsonDocument cases = Read("demo-cases/cases.json");
            return [.. Enumerable.Range(0, cases.RootElement.GetArrayLength())];
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Answers_as_the_reference(int index)
    {
        using JsonDocument cases = Read("demo-cases/cases.json");
        JsonElement wanted = cases.RootElement[index];
        ImageInput[] images = [.. wanted.GetProperty("images").EnumerateArray().Select(name => ImageInput.FromFile(TestPaths.Golden("demo-cases/" + name.GetString())))];
        using ChatSession session = demo.Engine.CreateSession();
        GenerationResult result = await session.AskAsync(new UserMessage(wanted.GetProperty("prompt").GetString()!, images), Greedy);
        Assert.Equal(wanted.GetProperty("expected").GetString(), result.Text);
        Assert.Equal(wanted.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()), result.TokenIds);
        Assert.Equal(FinishReason.Stop, result.FinishReason);
        Assert.Equal(images.Length * demo.Engine.Info.TokensPerImage, result.Usage.ImageTokens);
    }

    private static JsonDocument Read(string path) => JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden(path)));
}

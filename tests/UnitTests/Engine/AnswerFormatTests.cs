using System.Text.Json;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Answers of the demo that are held to a format.</summary>
public sealed class AnswerFormatTests(DemoEngine demo) : IClassFixture<DemoEngine>
{
    private static readonly AnswerFormat shapes = AnswerFormat.OfJsonSchema(
        """{"type":"object","properties":{"color":{"enum":["red","green","blue"]},"count":{"type":"integer","minimum":0,"maximum":9}},"required":["color","count"],"additionalProperties":false}""");

    [Fact]
    public async Task Answer_fits_the_schema_and_ends_by_itself()
    {
        GenerationResult result = await AskAsync(new GenerationOptions { Greedy = true, Format = shapes });
        JsonElement answer = JsonDocument.Parse(result.Text).RootElement;
        Assert.Equal(FinishReason.Stop, result.FinishReason);
        Assert.Equal(["color", "count"], answer.EnumerateObject().Select(member => member.Name));
        Assert.Contains(answer.GetProperty("color").GetString(), (string[])["red", "green", "blue"]);
        Assert.InRange(answer.GetProperty("count").GetInt32(), 0, 9);
    }

    [Fact]
    public async Task Sampled_answers_are_objects_whatever_the_seed()
    {
        for (ulong seed = 0; seed < 12; seed++)
        {
            GenerationResult result = await AskAsync(new GenerationOptions { Temperature = 3, TopP = 1, TopK = 0, Seed = seed, Format = shapes, LogProbs = true });
            Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(result.Text).RootElement.ValueKind);
            Assert.Equal(result.TokenIds, result.LogProbs.Select(score => score.Id));
        }
    }

    [Fact]
    public async Task Answers_beside_each_other_are_held_to_their_own_formats()
    {
        GenerationOptions free = new() { Greedy = true, RepetitionPenalty = 1, MaxTokens = 60 }, held = free with { Format = shapes };
        GenerationResult freely = await AskAsync(free), heldTo = await AskAsync(held);
        GenerationResult[] together = await Task.WhenAll(AskAsync(free), AskAsync(held), AskAsync(free), AskAsync(held));
        Assert.Equal([freely.Text, heldTo.Text, freely.Text, heldTo.Text], together.Select(result => result.Text));
    }

    [Fact]
    public async Task Any_object_may_be_cut_off_by_the_limit()
    {
        GenerationResult result = await AskAsync(new GenerationOptions { Greedy = true, RepetitionPenalty = 1, MaxTokens = 5, Format = AnswerFormat.JsonObject });
        Assert.StartsWith("{", result.Text.TrimStart(), StringComparison.Ordinal);
    }

    private async Task<GenerationResult> AskAsync(GenerationOptions options)
    {
        using ChatSession session = demo.Engine.CreateSession();
        return await session.AskAsync(new UserMessage("List the shapes as JSON.", [ImageInput.FromFile(TestPaths.Repository("tools/demo/pictures/shapes-5.png"))]), options);
    }
}

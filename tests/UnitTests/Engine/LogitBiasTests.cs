using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Biases, penalties of occurrences and scores of deltas, in answers of the demo.</summary>
public sealed class LogitBiasTests(DemoEngine demo) : IClassFixture<DemoEngine>
{
    private static readonly GenerationOptions greedy = new() { Greedy = true, RepetitionPenalty = 1, MaxTokens = 40 };

    private static UserMessage Question => new("Describe this image.", [ImageInput.FromFile(TestPaths.Repository("tools/demo/pictures/shapes-1.png"))]);

    [Fact]
    public async Task Bias_of_minus_100_excludes_a_token()
    {
        GenerationResult usual = await AskAsync(greedy);
        int excluded = usual.TokenIds[^2];
        GenerationResult other = await AskAsync(greedy with { LogitBias = new Dictionary<int, float> { [excluded] = -100 } });
        Assert.DoesNotContain(excluded, other.TokenIds);
        Assert.Equal(usual.TokenIds.TakeWhile(id => id != excluded), other.TokenIds.Take(usual.TokenIds.TakeWhile(id => id != excluded).Count()));
    }

    [Fact]
    public async Task Bias_of_100_repeats_a_token_and_the_frequency_penalty_stops_that()
    {
        int favoured = (await AskAsync(greedy)).TokenIds[1];
        GenerationOptions biased = greedy with { MaxTokens = 12, LogitBias = new Dictionary<int, float> { [favoured] = 30 } };
        Assert.Equal(Enumerable.Repeat(favoured, 12), (await AskAsync(biased)).TokenIds);
        Assert.True((await AskAsync(biased with { MaxTokens = 60, FrequencyPenalty = 2 })).TokenIds.Count(id => id == favoured) < 40);
    }

    [Fact]
    public async Task Presence_penalty_of_zero_changes_nothing_and_another_one_does()
    {
        GenerationOptions repeating = new() { Temperature = 3, TopP = 1, TopK = 0, RepetitionPenalty = 1, Seed = 1, MaxTokens = 80 };
        IReadOnlyList<int> usual = (await AskAsync(repeating)).TokenIds;
        Assert.Equal(usual, (await AskAsync(repeating with { PresencePenalty = 0, FrequencyPenalty = 0 })).TokenIds);
        Assert.NotEqual(usual, (await AskAsync(repeating with { PresencePenalty = 2 })).TokenIds);
    }

    [Fact]
    public async Task Bias_of_an_unknown_token_is_refused()
    {
        EngineException error = await Assert.ThrowsAsync<EngineException>(() => AskAsync(greedy with { LogitBias = new Dictionary<int, float> { [1 << 20] = 1 } }));
        Assert.Contains("logit bias: expected ids of 0 to", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deltas_carry_the_scores_of_their_tokens()
    {
        using ChatSession session = demo.Engine.CreateSession();
        List<TokenScore> told = [];
        GenerationResult? result = null;
        await foreach (GenerationEvent next in session.SendAsync(Question, greedy with { LogProbs = true, TopLogProbs = 2 }, TestContext.Current.CancellationToken))
            if (next is TextDelta delta)
                told.AddRange(delta.LogProbs);
            else if (next is GenerationCompleted completed)
                result = completed.Result;
        Assert.Equal(result!.TokenIds, result.LogProbs.Select(score => score.Id));
        Assert.Equal(result.LogProbs, told);
    }

    private async Task<GenerationResult> AskAsync(GenerationOptions options)
    {
        using ChatSession session = demo.Engine.CreateSession();
        return await session.AskAsync(Question, options);
    }
}

using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Answers of the demo by beam search.</summary>
public sealed class BeamAnswerTests(DemoEngine demo) : IClassFixture<DemoEngine>
{
    private static readonly GenerationOptions three = new() { Beams = 3, RepetitionPenalty = 1, MaxTokens = 40 };

    private static UserMessage Question => new("Describe this image.", [ImageInput.FromFile(TestPaths.Repository("tools/demo/pictures/shapes-1.png"))]);

    /// <summary>Every beam of every step is read anew by a model that has no other sequence.</summary>
    [Theory]
    [InlineData(2, 1f)]
    [InlineData(5, 1.3f)]
    public void Search_is_that_of_sequences_read_one_by_one(int beams, float penalty)
    {
        using var model = new DemoModel();
        PromptPosition[] prompt = DemoModel.Prompt(20, model.Encode("001-0.png"), 40);
        var settings = new BeamSettings(beams, 1, EarlyStopping: false, penalty, [1], [2]);
        var alone = new BeamSearch(settings, maxTokens: 20);
        while (!alone.IsDone)
            alone.Advance([.. alone.Running.Select(beam => Read(model, prompt, alone, beam))]);

        using var several = new DemoModel(sequences: 5);
        using var scheduler = new Scheduler(several.Runner, several.Sizes);
        var request = new AnswerRequest([.. prompt], new SamplingRequest { Parameters = new SamplingParameters(true, 1, 0, 1, 1) }, 20, new Ignored(), null, CancellationToken.None) { Beams = settings };
        scheduler.Add(request);
        while (scheduler.HasWork)
            scheduler.Iterate();
        Assert.Equal(BeamSearch.Ids(alone.Best.Last), BeamSearch.Ids(request.Search!.Search.Best.Last));
        Assert.Equal(alone.Best.Score, request.Search.Search.Best.Score, 1e-4);
    }

    [Fact]
    public async Task Answer_is_one_text_that_is_at_least_as_likely_as_the_greedy_one()
    {
        GenerationResult greedy = await AskAsync(new GenerationOptions { Greedy = true, RepetitionPenalty = 1, MaxTokens = 40, LogProbs = true });
        GenerationResult searched = await AskAsync(three with { LengthPenalty = 0 });
        Assert.Equal(FinishReason.Stop, searched.FinishReason);
        Assert.NotEmpty(searched.Text);
        // The end mark has a share of its own, which the greedy answer's tokens do not show.
        Assert.True(searched.Score >= greedy.LogProbs.Sum(token => token.LogProb) - 0.5, $"{searched.Score} against {greedy.LogProbs.Sum(token => token.LogProb)}");
        Assert.Null(greedy.Score);
    }

    [Fact]
    public async Task Searches_and_samples_beside_each_other_answer_as_each_does_alone()
    {
        GenerationOptions[] options = [three, three with { Beams = 2, RepetitionPenalty = 1.2f }, new GenerationOptions { Seed = 5, MaxTokens = 30 }, three with { EarlyStopping = true }];
        var alone = new List<GenerationResult>();
        foreach (GenerationOptions option in options)
            alone.Add(await AskAsync(option));
        GenerationResult[] together = await Task.WhenAll(options.Select(AskAsync));
        Assert.Equal(alone.Select(result => string.Join(' ', result.TokenIds)), together.Select(result => string.Join(' ', result.TokenIds)));
    }

    [Fact]
    public async Task Stop_text_ends_the_answer_that_was_found()
    {
        GenerationResult whole = await AskAsync(three);
        string stop = whole.Text.Split(' ')[2];
        GenerationResult cut = await AskAsync(three with { Stop = [stop] });
        Assert.Equal((whole.Text[..whole.Text.IndexOf(stop, StringComparison.Ordinal)], stop, FinishReason.Stop), (cut.Text, cut.StopText, cut.FinishReason));
    }

    [Fact]
    public async Task Conversation_goes_on_after_a_search_without_reading_its_prompt_again()
    {
        using ChatSession session = demo.Engine.CreateSession();
        GenerationResult first = await session.AskAsync(Question, three), second = await session.AskAsync(new UserMessage("What color is it?"), three);
        Assert.True(second.Usage.CachedTokens >= first.Usage.PromptTokens, $"{second.Usage.CachedTokens} of {first.Usage.PromptTokens}");
    }

    [Theory]
    [InlineData("beams: expected 1 to 8, found 9")]
    [InlineData("length penalty: expected -10 to 10, found NaN")]
    [InlineData("repetition penalty: expected 1 or more with beams, found 0.5")]
    [InlineData("log-probabilities: not available with beams")]
    [InlineData("logit bias: not available with beams")]
    [InlineData("format: not available with beams")]
    public async Task Options_that_a_search_does_not_have_are_refused(string message)
    {
        GenerationOptions asked = message.Split(':')[0] switch
        {
            "beams" => three with { Beams = 9 },
            "length penalty" => three with { LengthPenalty = float.NaN },
            "repetition penalty" => three with { RepetitionPenalty = 0.5f },
            "log-probabilities" => three with { LogProbs = true },
            "logit bias" => three with { LogitBias = new Dictionary<int, float> { [5] = 1 } },
            _ => three with { Format = AnswerFormat.JsonObject },
        };
        Assert.Equal(message, (await Assert.ThrowsAsync<EngineException>(() => AskAsync(asked))).Message);
    }

    [Fact]
    public async Task More_beams_than_the_engine_has_sequences_are_refused()
    {
        await using XComposerEngine engine = await XComposerEngine.LoadAsync(
            new EngineOptions { ModelPath = TestPaths.Repository("tools/demo/checkpoint"), Limits = new EngineLimits { Sequences = 2 }, Device = new DeviceOptions { Kind = DeviceKind.Cpu } }, TestContext.Current.CancellationToken);
        await using ChatSession session = engine.CreateSession();
        EngineException refused = await Assert.ThrowsAsync<EngineException>(() => session.AskAsync(Question, three));
        Assert.Equal("beams: expected at most 2, the answers that the engine generates together (EngineLimits.Sequences), found 3", refused.Message);
    }

    [Fact]
    public async Task Beams_without_room_in_the_cache_are_refused_with_the_numbers()
    {
        EngineException refused = await Assert.ThrowsAsync<EngineException>(() => AskAsync(three with { MaxTokens = 1500 }));
        Assert.Matches("^the key/value cache has room for 2112 tokens; the prompt has [0-9]+ tokens, each of 3 beams up to 1500: fewer answer tokens need less, EngineLimits.CacheBytes", refused.Message);
    }

    private static TokenChoice Read(DemoModel model, PromptPosition[] prompt, BeamSearch search, Beam beam)
    {
        using var sequence = new KeyValueSequence(model.Runner.Pool);
        Span<float> logits = model.Prefill(sequence, prompt);
        foreach (int id in BeamSearch.Ids(beam.Last))
            logits = model.Decode(sequence, id);
        TokenLogProb[] top = search.Ranking(beam).Rank(logits);
        return new TokenChoice(top[0].Id, null, top[0].LogProb, top);
    }

    private async Task<GenerationResult> AskAsync(GenerationOptions options)
    {
        using ChatSession session = demo.Engine.CreateSession();
        return await session.AskAsync(Question, options);
    }

    private sealed class Ignored : IAnswerSink
    {
        public FinishReason? Take(in TokenChoice choice) => null;
    }
}

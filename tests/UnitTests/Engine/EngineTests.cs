using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Several requests in one engine, and how they end.</summary>
public sealed class EngineTests
{
    private static readonly GenerationOptions greedy = new() { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 60 };

    private static readonly string pictures = TestPaths.Repository("tools/demo/pictures");

    // A token that was said once is said for ever.
    private static readonly GenerationOptions endless = new() { Greedy = true, RepetitionPenalty = 0.1f, MaxTokens = 4000 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Eight_conversations_together_answer_as_each_does_alone()
    {
        await using XComposerEngine engine = await LoadAsync(new EngineLimits { Context = 512, CacheBytes = 8 << 20, PromptPiece = 64 });
        await Conversations.CheckAsync(engine, pictures, tokens: 40);
    }

    [Fact]
    public async Task What_one_session_has_asked_another_need_not_compute()
    {
        await using XComposerEngine engine = await LoadAsync();
        await using ChatSession first = engine.CreateSession(), second = engine.CreateSession();
        GenerationResult asked = await first.AskAsync(AboutPicture(), greedy), again = await second.AskAsync(AboutPicture(), greedy);
        Assert.Equal((0, asked.Usage.PromptTokens - 1), (asked.Usage.CachedTokens, again.Usage.CachedTokens));
        Assert.Equal(asked.TokenIds, again.TokenIds);
        Assert.Equal(TimeSpan.Zero, again.Timings.Vision);
    }

    [Fact]
    public async Task A_cancelled_answer_frees_its_pages_and_the_others_go_on()
    {
        await using XComposerEngine engine = await LoadAsync();
        await using ChatSession leaving = engine.CreateSession(), staying = engine.CreateSession();
        using var source = new CancellationTokenSource();
        Task<GenerationResult> other = staying.AskAsync(AboutPicture(), greedy);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (GenerationEvent unused in leaving.SendAsync(new UserMessage("Hello?"), endless, source.Token))
                await source.CancelAsync();
        });
        await other;
        while (await engine.OnThreadAsync(() => engine.Scheduler.HasWork))
            Cancellation.ThrowIfCancellationRequested();
        Assert.Equal(engine.Scheduler.PageCount, await engine.OnThreadAsync(() => engine.Scheduler.AvailablePages));
        Assert.Equal((await other).TokenIds, (await leaving.AskAsync(AboutPicture(), greedy)).TokenIds);
    }

    [Fact]
    public async Task A_late_answer_fails_and_says_how_long_it_had()
    {
        await using XComposerEngine engine = await LoadAsync();
        await using ChatSession session = engine.CreateSession();
        TimeoutException late = await Assert.ThrowsAsync<TimeoutException>(() => session.AskAsync(new UserMessage("Hello?"), endless with { Timeout = TimeSpan.FromMilliseconds(1) }));
        Assert.Equal("the answer was not complete after 0.001 s, its time limit", late.Message);
        Assert.Empty(session.History);
        await session.AskAsync(new UserMessage("Hello?"), greedy with { Timeout = TimeSpan.FromMinutes(5) });
    }

    [Fact]
    public async Task Disposing_a_session_ends_its_answer_and_no_other()
    {
        await using XComposerEngine engine = await LoadAsync();
        await using ChatSession other = engine.CreateSession();
        ChatSession session = engine.CreateSession();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
        {
            await foreach (GenerationEvent unused in session.SendAsync(new UserMessage("Hello?"), endless, Cancellation))
                session.Dispose();
        });
        await session.DisposeAsync();
        session.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => session.AskAsync(new UserMessage("Hello?"), greedy));
        await other.AskAsync(new UserMessage("Hello?"), greedy);
    }

    [Fact]
    public async Task Disposing_the_engine_ends_all_answers_and_any_order_will_do()
    {
        XComposerEngine engine = await LoadAsync(new EngineLimits { Sequences = 2 });
        ChatSession[] sessions = [.. Enumerable.Range(0, 5).Select(_ => engine.CreateSession())];
        var firstToken = new TaskCompletionSource();
        Task[] answers = [.. sessions.Select(session => Task.Run(async () =>
        {
            await foreach (GenerationEvent unused in session.SendAsync(new UserMessage("Hello?"), endless, Cancellation))
                firstToken.TrySetResult();
        }, Cancellation))];
        await firstToken.Task.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        sessions[1].Dispose();
        engine.Dispose();
        foreach (Task answer in answers)
            await Assert.ThrowsAsync<ObjectDisposedException>(() => answer);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => sessions[0].AskAsync(new UserMessage("Hello?"), greedy));
        Assert.Throws<ObjectDisposedException>(() => engine.CreateSession());
        foreach (ChatSession session in sessions)
        {
            session.Dispose();
            await session.DisposeAsync();
        }

        await engine.DisposeAsync();
        engine.Dispose();
    }

    [Fact]
    public async Task Log_probabilities_are_there_when_asked_for()
    {
        await using XComposerEngine engine = await LoadAsync();
        await using ChatSession session = engine.CreateSession(), plain = engine.CreateSession();
        GenerationResult expected = await plain.AskAsync(AboutPicture(), greedy), found = await session.AskAsync(AboutPicture(), greedy with { LogProbs = true, TopLogProbs = 3 });
        Assert.Empty(expected.LogProbs);
        Assert.Equal(expected.TokenIds, found.LogProbs.Select(score => score.Id));
        Assert.All(found.LogProbs, score =>
        {
            // Greedy and without a penalty: the chosen token is the likeliest.
            Assert.Equal((score.Id, score.LogProb), (score.Top[0].Id, score.Top[0].LogProb));
            Assert.Equal(3, score.Top.Count);
            Assert.True(score.Top[0].LogProb >= score.Top[1].LogProb && score.Top[1].LogProb >= score.Top[2].LogProb);
            Assert.InRange(score.LogProb, -5f, 0f);
        });
        GenerationResult sampled = await plain.AskAsync(new UserMessage("Hello?"), new GenerationOptions { Seed = 3, Temperature = 100f, TopK = 0, TopP = 1f, MaxTokens = 5, LogProbs = true });
        Assert.All(sampled.LogProbs, score => Assert.True(score.LogProb < 0 && score.Top.Count == 0));
        await Assert.ThrowsAsync<EngineException>(() => session.AskAsync(new UserMessage("x"), greedy with { TopLogProbs = 21 }));
    }

    /// <summary>The original gives generate() the ids of a prompt without pictures, and its penalty sees them; of a prompt with pictures it sees none.</summary>
    [Fact]
    public async Task The_repetition_penalty_sees_prompts_without_pictures()
    {
        await using XComposerEngine engine = await LoadAsync();
        // Below 1 it is a reward, and says what it sees.
        GenerationOptions strong = greedy with { RepetitionPenalty = 0.1f, MaxTokens = 5 };
        UserMessage text = new("Write a short article about the park. Outline: a red circle; a blue square.");
        await using ChatSession session = engine.CreateSession();
        int[] byDefault = await Ids(text, strong), whole = await Ids(text, strong with { PenalizePrompt = true }), answer = await Ids(text, strong with { PenalizePrompt = false });
        Assert.Equal(whole, byDefault);
        Assert.NotEqual(answer, byDefault);
        byDefault = await Ids(AboutPicture(), strong);
        Assert.Equal(await Ids(AboutPicture(), strong with { PenalizePrompt = false }), byDefault);
        Assert.NotEqual(await Ids(AboutPicture(), strong with { PenalizePrompt = true }), byDefault);

        async Task<int[]> Ids(UserMessage message, GenerationOptions options)
        {
            session.Reset();
            return [.. (await session.AskAsync(message, options)).TokenIds];
        }
    }

    [Fact]
    public async Task Limits_out_of_range_are_refused_with_the_range()
    {
        EngineLimits[] wrong =
        [
            new() { Sequences = 0 }, new() { Sequences = 65 }, new() { Context = 0 }, new() { CacheBytes = 1000 }, new() { PromptPiece = 3 }, new() { Pictures = -1 },
        ];
        foreach (EngineLimits limits in wrong)
            Assert.Contains("expected", (await Assert.ThrowsAsync<EngineException>(() => LoadAsync(limits))).Message, StringComparison.Ordinal);
    }

    /// <summary>The check comes before the pictures: they are not even opened.</summary>
    [Fact]
    public async Task A_prompt_over_the_context_is_refused_before_its_pictures_are_read()
    {
        await using XComposerEngine engine = await LoadAsync(new EngineLimits { Context = 64 });
        await using ChatSession session = engine.CreateSession();
        var message = new UserMessage("What?", [ImageInput.FromFile("nowhere.png"), ImageInput.FromFile("nowhere.png")]);
        ContextFullException refusal = await Assert.ThrowsAsync<ContextFullException>(() => session.AskAsync(message, greedy));
        Assert.Contains("the context is 64 tokens", refusal.Message, StringComparison.Ordinal);
    }

    private static UserMessage AboutPicture() => new("Describe this image.", [ImageInput.FromFile(Path.Combine(pictures, "shapes-3.png"))]);

    private static Task<XComposerEngine> LoadAsync(EngineLimits? limits = null) => XComposerEngine.LoadAsync(
        new EngineOptions { ModelPath = TestPaths.Repository("tools/demo/checkpoint"), Limits = limits ?? new EngineLimits(), Device = new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 2 } }, Cancellation);
}

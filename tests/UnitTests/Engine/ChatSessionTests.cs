using System.Text.Json;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ChatSessionTests(DemoEngine demo) : IClassFixture<DemoEngine>
{
    private static readonly GenerationOptions Greedy = new() { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 60 };

    // A token that was said once is said for ever.
    private static readonly GenerationOptions Endless = new() { Greedy = true, RepetitionPenalty = 0.1f, MaxTokens = 1500 };

    private static UserMessage AboutPicture(string text, string picture = "shapes-3.png") =>
        new(text, [ImageInput.FromFile(TestPaths.Repository("tools/demo/pictures/" + picture))]);

    [Fact]
    public async Task A_second_turn_computes_only_what_is_new()
    {
        // An engine of its own: what others have asked is known to all.
        using XComposerEngine engine = await DemoEngine.LoadAsync();
        using ChatSession session = engine.CreateSession();
        GenerationResult first = await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        GenerationResult second = await session.AskAsync(new UserMessage("How many shapes are there?"), Greedy);
        Assert.Equal(0, first.Usage.CachedTokens);

        // Everything up to the last generated token, whose keys and values were never needed before.
        int before = first.Usage.PromptTokens + first.Usage.CompletionTokens;
        Assert.Equal(before, second.Usage.CachedTokens);
        Assert.Equal(first.Usage.ImageTokens, second.Usage.ImageTokens);
        Assert.Equal(TimeSpan.Zero, second.Timings.Vision);
        Assert.Equal(2, session.History.Count);
        Assert.Equal("How many shapes are there?", session.History[1].Question.Text);
    }

    [Fact]
    public async Task Turns_over_a_cold_cache_give_the_same_answers()
    {
        using ChatSession warm = demo.Engine.CreateSession();
        using XComposerEngine forgetful = await DemoEngine.LoadAsync();
        using ChatSession cold = forgetful.CreateSession();
        foreach (UserMessage message in new[] { AboutPicture("Describe this image."), new UserMessage("How many shapes are there?"), AboutPicture("What color is the square?", "shapes-2.png") })
        {
            GenerationResult expected = await warm.AskAsync(message, Greedy);
            await forgetful.ForgetPrefixesAsync();
            GenerationResult found = await cold.AskAsync(message, Greedy);
            Assert.Equal(0, found.Usage.CachedTokens);
            Assert.Equal(expected.TokenIds, found.TokenIds);
        }
    }

    [Fact]
    public async Task Reset_forgets_the_conversation_but_not_what_its_beginning_shares()
    {
        using ChatSession session = demo.Engine.CreateSession();
        GenerationResult first = await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        session.Reset();
        Assert.Empty(session.History);
        GenerationResult again = await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        Assert.Equal(first.Usage.PromptTokens, again.Usage.PromptTokens);
        Assert.Equal(first.Usage.PromptTokens - 1, again.Usage.CachedTokens);
        Assert.Equal(first.TokenIds, again.TokenIds);
        Assert.Equal(TimeSpan.Zero, again.Timings.Vision);
    }

    [Fact]
    public async Task Who_stops_reading_may_ask_again()
    {
        using ChatSession session = demo.Engine.CreateSession();
        await foreach (GenerationEvent unused in session.SendAsync(AboutPicture("Describe this image."), Greedy, TestContext.Current.CancellationToken))
            break;
        Assert.Empty(session.History);
        using ChatSession other = demo.Engine.CreateSession();
        GenerationResult expected = await other.AskAsync(new UserMessage("How many shapes are there?"), Greedy);
        GenerationResult found = await session.AskAsync(new UserMessage("How many shapes are there?"), Greedy);
        Assert.Equal(expected.TokenIds, found.TokenIds);
    }

    [Fact]
    public async Task Cancelled_turns_leave_the_conversation_as_it_was()
    {
        using ChatSession session = demo.Engine.CreateSession();
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (GenerationEvent unused in session.SendAsync(AboutPicture("Describe this image."), Greedy, source.Token))
                await source.CancelAsync();
        });
        Assert.Empty(session.History);
        await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        Assert.Single(session.History);
    }

    [Fact]
    public async Task Stopped_answers_stay_in_the_conversation_with_the_text_so_far()
    {
        using ChatSession session = demo.Engine.CreateSession();
        string streamed = "";
        GenerationResult? stopped = null;
        await foreach (GenerationEvent next in session.SendAsync(AboutPicture("Describe this image."), Endless, TestContext.Current.CancellationToken))
        {
            streamed += (next as TextDelta)?.Text;
            stopped = (next as GenerationCompleted)?.Result;
            if (streamed.Length > 0)
                session.StopAnswer();
        }

        Assert.Equal((FinishReason.Stopped, streamed), (stopped!.FinishReason, stopped.Text));
        Assert.InRange(stopped.TokenIds.Count, 1, Endless.MaxTokens - 1);
        Assert.Equal(stopped.TokenIds.Count, stopped.Usage.CompletionTokens);
        Assert.True(stopped.Timings.Decode >= TimeSpan.Zero && stopped.Timings.Prefill >= TimeSpan.Zero);
        Assert.Same(stopped, Assert.Single(session.History).Answer);

        // The next prompt continues from what was said, as the cache already holds it.
        GenerationResult after = await session.AskAsync(new UserMessage("How many shapes are there?"), Greedy);
        Assert.InRange(after.Usage.CachedTokens, stopped.Usage.PromptTokens, stopped.Usage.PromptTokens + stopped.TokenIds.Count);
        Assert.Equal(2, session.History.Count);
    }

    [Fact]
    public async Task Answers_stopped_before_their_first_word_leave_the_conversation_as_it_was()
    {
        using ChatSession session = demo.Engine.CreateSession();
        session.StopAnswer();
        await session.AskAsync(AboutPicture("Describe this image."), Greedy);

        // The engine is busy, so that the answer cannot begin.
        using var released = new ManualResetEventSlim();
        Task<bool> busy = demo.Engine.OnThreadAsync(() => released.Wait(TimeSpan.FromSeconds(30)));
        IAsyncEnumerator<GenerationEvent> answer = session.SendAsync(new UserMessage("What?"), Greedy, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        ValueTask<bool> first = answer.MoveNextAsync();
        session.StopAnswer();
        released.Set();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await first);
        await answer.DisposeAsync();
        await busy;
        Assert.Single(session.History);
        await session.AskAsync(new UserMessage("How many shapes are there?"), Greedy);
    }

    [Fact]
    public async Task Regenerated_answers_replace_the_last_one()
    {
        using ChatSession session = demo.Engine.CreateSession();
        GenerationResult first = await session.AskAsync(AboutPicture("Describe this image."), Greedy), second = await session.AskAsync(AboutPicture("What color is the square?", "shapes-2.png"), Greedy with { MaxTokens = 1 });
        GenerationResult? again = null;
        await foreach (GenerationEvent next in session.RegenerateAsync(Greedy, TestContext.Current.CancellationToken))
            again = (next as GenerationCompleted)?.Result;

        using ChatSession other = demo.Engine.CreateSession();
        await other.AskAsync(AboutPicture("Describe this image."), Greedy);
        GenerationResult expected = await other.AskAsync(AboutPicture("What color is the square?", "shapes-2.png"), Greedy);
        Assert.Equal(expected.TokenIds, again!.TokenIds);
        Assert.Equal([first, again], session.History.Select(turn => turn.Answer));
        Assert.Equal((await other.AskAsync(new UserMessage("How many shapes are there?"), Greedy)).TokenIds, (await session.AskAsync(new UserMessage("How many shapes are there?"), Greedy)).TokenIds);

        session.Reset();
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (GenerationEvent unused in session.RegenerateAsync(Greedy, TestContext.Current.CancellationToken)) { }
        });
    }

    [Fact]
    public async Task Cancelled_regeneration_keeps_the_old_answer()
    {
        using ChatSession session = demo.Engine.CreateSession();
        GenerationResult first = await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (GenerationEvent unused in session.RegenerateAsync(Greedy, source.Token))
                await source.CancelAsync();
        });

        Assert.Same(first, Assert.Single(session.History).Answer);
    }

    [Fact]
    public async Task System_text_can_change_within_a_conversation()
    {
        using ChatSession session = demo.Engine.CreateSession(), other = demo.Engine.CreateSession(new SessionOptions { System = "be brief" });
        GenerationResult without = await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        session.System = "be brief";
        session.Reset();
        GenerationResult with = await session.AskAsync(AboutPicture("Describe this image."), Greedy), expected = await other.AskAsync(AboutPicture("Describe this image."), Greedy);

        Assert.True(with.Usage.PromptTokens > without.Usage.PromptTokens);
        Assert.Equal((expected.Usage.PromptTokens, expected.Text), (with.Usage.PromptTokens, with.Text));
        await foreach (GenerationEvent unused in session.SendAsync(new UserMessage("Hello?"), Greedy, TestContext.Current.CancellationToken))
            Assert.Throws<InvalidOperationException>(() => session.System = null);
    }

    [Fact]
    public async Task Restored_conversations_continue_as_if_they_had_never_ended()
    {
        using ChatSession first = demo.Engine.CreateSession(), second = demo.Engine.CreateSession();
        await first.AskAsync(AboutPicture("Describe this image."), Greedy);
        await first.AskAsync(new UserMessage("How many shapes are there?"), Greedy);
        await second.RestoreAsync(first.History, TestContext.Current.CancellationToken);

        Assert.Equal(first.History, second.History);
        UserMessage next = AboutPicture("What color is the square?", "shapes-2.png");
        GenerationResult expected = await first.AskAsync(next, Greedy), found = await second.AskAsync(next, Greedy);
        Assert.Equal((expected.Usage.PromptTokens, expected.Text), (found.Usage.PromptTokens, found.Text));

        ChatExchange unpaired = new(new UserMessage("<ImageHere> and <ImageHere>"), expected);
        await Assert.ThrowsAsync<PromptException>(() => second.RestoreAsync([unpaired], TestContext.Current.CancellationToken));
        Assert.Equal(3, second.History.Count);
    }

    [Fact]
    public async Task Drawn_seeds_are_exact_as_doubles()
    {
        using ChatSession session = demo.Engine.CreateSession();
        for (int round = 0; round < 8; round++)
            Assert.InRange((await session.AskAsync(new UserMessage("Hello?"), new GenerationOptions { MaxTokens = 1 })).Seed, 0UL, (1UL << 53) - 1);
    }

    [Theory]
    [InlineData("/models/tea", "tea")]
    [InlineData("/models/tea/", "tea")]
    [InlineData("/demo/checkpoint", "demo")]
    [InlineData("/hub/models--internlm--internlm-xcomposer2-vl-7b/snapshots/0123abcd", "internlm-xcomposer2-vl-7b")]
    [InlineData("/", "/")]
    public void Names_of_models_read_well(string folder, string name) => Assert.Equal(name, EngineInfo.NameOf(folder));

    [Fact]
    public void Model_is_described_by_name_and_type() => Assert.Equal("demo, bf16", demo.Engine.Info.Model);

    [Fact]
    public async Task An_answer_that_was_ready_before_it_was_read_can_still_be_cancelled_and_left()
    {
        using ChatSession session = demo.Engine.CreateSession();
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (GenerationEvent unused in session.SendAsync(AboutPicture("Describe this image."), Greedy, source.Token))
            {
                await TurnIsOverAsync();
                await source.CancelAsync();
            }
        });
        Assert.Empty(session.History);
        await foreach (GenerationEvent unused in session.SendAsync(AboutPicture("Describe this image."), Greedy, TestContext.Current.CancellationToken))
        {
            await TurnIsOverAsync();
            break;
        }

        Assert.Empty(session.History);
        GenerationResult found = await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        Assert.Equal(found.TokenIds, Assert.Single(session.History).Answer.TokenIds);
    }

    [Fact]
    public async Task A_stop_text_ends_the_answer_before_it_and_the_conversation_goes_on_from_there()
    {
        using ChatSession session = demo.Engine.CreateSession();
        GenerationResult whole = await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        session.Reset();

        // "circle on" crosses a token border for certain: the words are several pieces.
        const string Stop = "circle on";
        int end = whole.Text.IndexOf(Stop, StringComparison.Ordinal);
        Assert.True(end > 0, whole.Text);
        GenerationResult cut = await session.AskAsync(AboutPicture("Describe this image."), Greedy with { Stop = ["nothing like it", Stop] });
        Assert.Equal(whole.Text[..end], cut.Text);
        Assert.Equal(FinishReason.Stop, cut.FinishReason);
        Assert.True(cut.TokenIds.Count < whole.TokenIds.Count);
        GenerationResult next = await session.AskAsync(new UserMessage("How many shapes are there?"), Greedy);
        Assert.True(next.Usage.PromptTokens < cut.Usage.PromptTokens + whole.TokenIds.Count + 40);
    }

    [Fact]
    public async Task Max_tokens_ends_the_answer()
    {
        using ChatSession session = demo.Engine.CreateSession();
        GenerationResult result = await session.AskAsync(AboutPicture("Describe this image."), Greedy with { MaxTokens = 3 });
        Assert.Equal((FinishReason.Length, 3, 2), (result.FinishReason, result.TokenIds.Count, result.Timings.DecodeSteps));
    }

    [Fact]
    public async Task The_context_ends_the_answer_and_refuses_what_does_not_fit_with_both_lengths()
    {
        UserMessage asked = AboutPicture("Describe this image.");
        using ChatSession free = demo.Engine.CreateSession();
        TokenUsage usage = (await free.AskAsync(asked, Greedy)).Usage;
        Assert.True(usage.CompletionTokens > 4);

        int context = usage.PromptTokens + 4;
        using XComposerEngine engine = await DemoEngine.LoadAsync(context);
        using ChatSession session = engine.CreateSession();
        GenerationResult result = await session.AskAsync(asked, Greedy);
        Assert.Equal((FinishReason.Length, 4), (result.FinishReason, result.Usage.CompletionTokens));

        ContextFullException refusal = await Assert.ThrowsAsync<ContextFullException>(() => session.AskAsync(asked, Greedy));
        Assert.Equal(context, refusal.ContextLength);
        Assert.Matches($@"the prompt has 1\d\d tokens, the context is {context} tokens", refusal.Message);
        session.Reset();
        Assert.Equal(result.TokenIds, (await session.AskAsync(asked, Greedy)).TokenIds);
    }

    [Fact]
    public async Task Sessions_that_do_not_fit_together_take_each_others_pages()
    {
        using XComposerEngine engine = await DemoEngine.LoadAsync(context: 192);
        string[] pictures = ["shapes-3.png", "shapes-2.png"];
        ChatSession[] sessions = [.. pictures.Select(_ => engine.CreateSession())], alone = [.. pictures.Select(_ => demo.Engine.CreateSession())];
        var cached = new List<int>();
        foreach (string question in new[] { "Describe this image.", "How many shapes are there?", "List the shapes as JSON." })
            for (int index = 0; index < pictures.Length; index++)
            {
                UserMessage message = question.StartsWith("Describe", StringComparison.Ordinal) ? AboutPicture(question, pictures[index]) : new UserMessage(question);
                GenerationResult expected = await alone[index].AskAsync(message, Greedy), found = await sessions[index].AskAsync(message, Greedy);
                Assert.Equal(expected.TokenIds, found.TokenIds);
                cached.Add(found.Usage.CachedTokens);
            }

        Assert.True(cached[^1] < 64 || cached[^2] < 64, "the pool of 192 tokens and one page held two sessions; make the test's conversations longer");
    }

    [Fact]
    public async Task Sessions_may_ask_at_the_same_time()
    {
        using ChatSession alone = demo.Engine.CreateSession();
        GenerationResult expected = await alone.AskAsync(AboutPicture("Describe this image."), Greedy);
        GenerationResult[] results = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            using ChatSession session = demo.Engine.CreateSession();
            return await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        }));
        Assert.All(results, result => Assert.Equal(expected.TokenIds, result.TokenIds));
    }

    [Fact]
    public async Task One_session_gives_one_answer_at_a_time()
    {
        using ChatSession session = demo.Engine.CreateSession();
        await foreach (GenerationEvent unused in session.SendAsync(AboutPicture("Describe this image."), Greedy, TestContext.Current.CancellationToken))
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => session.AskAsync(new UserMessage("Hello?"), Greedy));
            Assert.Throws<InvalidOperationException>(session.Reset);
        }
    }

    [Fact]
    public async Task A_seed_repeats_the_answer()
    {
        var sampled = new GenerationOptions { Seed = 7, Temperature = 3f, TopP = 1f, TopK = 0, MaxTokens = 30 };
        using ChatSession session = demo.Engine.CreateSession();
        GenerationResult first = await session.AskAsync(AboutPicture("Describe this image."), sampled);
        session.Reset();
        GenerationResult again = await session.AskAsync(AboutPicture("Describe this image."), sampled);
        session.Reset();
        GenerationResult other = await session.AskAsync(AboutPicture("Describe this image."), sampled with { Seed = 8 });
        Assert.Equal(first.TokenIds, again.TokenIds);
        Assert.Equal(7UL, first.Seed);
        Assert.NotEqual(first.TokenIds, other.TokenIds);
    }

    [Fact]
    public async Task Bad_messages_are_refused_and_the_session_goes_on()
    {
        using ChatSession session = demo.Engine.CreateSession();
        string noPicture = TestPaths.Repository("LICENSE");
        await Assert.ThrowsAsync<ImageException>(() => session.AskAsync(new UserMessage("What?", [ImageInput.FromFile(noPicture)]), Greedy));
        await Assert.ThrowsAsync<ImageException>(() => session.AskAsync(new UserMessage("What?", [ImageInput.FromFile(noPicture + ".png")]), Greedy));
        await Assert.ThrowsAsync<ImageException>(() => session.AskAsync(new UserMessage("What?", [ImageInput.FromBytes(new byte[] { 1, 2, 3 }, "three bytes")]), Greedy));
        await Assert.ThrowsAsync<PromptException>(() => session.AskAsync(new UserMessage(" "), Greedy));
        await Assert.ThrowsAsync<PromptException>(() => session.AskAsync(new UserMessage("<ImageHere> and <ImageHere>", AboutPicture("x").Images), Greedy));
        await Assert.ThrowsAsync<EngineException>(() => session.AskAsync(new UserMessage("x"), Greedy with { MaxTokens = 0 }));
        await Assert.ThrowsAsync<EngineException>(() => session.AskAsync(new UserMessage("x"), new GenerationOptions { TopP = 0 }));
        await Assert.ThrowsAsync<EngineException>(() => session.AskAsync(new UserMessage("x"), Greedy with { Stop = [""] }));
        Assert.Empty(session.History);
        await session.AskAsync(AboutPicture("Describe this image."), Greedy);
        Assert.Throws<PromptException>(() => demo.Engine.CreateSession(new SessionOptions { PromptStyle = "no such style" }));
    }

    /// <summary>The engine has nothing more to do.</summary>
    private async Task TurnIsOverAsync()
    {
        while (await demo.Engine.OnThreadAsync(() => demo.Engine.Scheduler.HasWork))
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    [Fact]
    public async Task Loading_refuses_what_cannot_be()
    {
        await Assert.ThrowsAsync<EngineException>(() => DemoEngine.LoadAsync(context: 0));
        await Assert.ThrowsAsync<EngineException>(() => DemoEngine.LoadAsync(context: 1_000_000));
        await Assert.ThrowsAsync<CheckpointException>(() => XComposerEngine.LoadAsync(new EngineOptions { ModelPath = TestPaths.Repository("tests") }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Weights_that_are_not_numbers_end_in_a_sentence()
    {
        string folder = Directory.CreateTempSubdirectory("xc2-nan-").FullName;
        try
        {
            foreach (string file in Directory.EnumerateFiles(TestPaths.Repository("tools/demo/checkpoint")))
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            string weights = Path.Combine(folder, "model.safetensors");
            byte[] bytes = File.ReadAllBytes(weights);
            int headerBytes = (int)BitConverter.ToInt64(bytes, 0);
            using (JsonDocument header = JsonDocument.Parse(bytes.AsMemory(8, headerBytes)))
            {
                int offset = 8 + headerBytes + header.RootElement.GetProperty("output.weight").GetProperty("data_offsets")[0].GetInt32();
                (bytes[offset], bytes[offset + 1]) = (0xC0, 0x7F);
            }

            File.WriteAllBytes(weights, bytes);

            using XComposerEngine engine = await XComposerEngine.LoadAsync(new EngineOptions { ModelPath = folder }, TestContext.Current.CancellationToken);
            using ChatSession session = engine.CreateSession();
            EngineException failure = await Assert.ThrowsAsync<EngineException>(() => session.AskAsync(AboutPicture("Describe this image."), Greedy));
            Assert.Contains("logit of id 0 is NaN", failure.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

using System.Text.Json;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ChatSessionTests(DemoEngine demo) : IClassFixture<DemoEngine>
{
    private static readonly GenerationOptions Greedy = new() { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 60 };

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

        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => session.AskAsync(asked, Greedy));
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

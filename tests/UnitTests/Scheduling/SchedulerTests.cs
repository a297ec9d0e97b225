using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The contract of Scheduling/README.md, iteration by iteration, on a model whose tokens tell of every page.</summary>
public sealed class SchedulerTests
{
    private static readonly EngineSizes roomy = new(Sequences: 8, PromptLength: 4095, ContextLength: 4096, CachePages: 400, Pictures: 8, KeptPictures: 8, PieceTokens: 256, StepTokens: 2048);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Answers_together_are_the_answers_alone(bool runsAhead)
    {
        var runner = new FakeRunner(roomy, runsAhead);
        using var scheduler = new Scheduler(runner, roomy);
        FakeRequest[] requests = [.. Enumerable.Range(0, 12).Select(index => new FakeRequest(FakeRequest.Prompt(30 + (index * 61), index * 13, index % 3), (ulong)index, 40))];
        foreach (FakeRequest request in requests)
            scheduler.Add(request.Request);
        Run(scheduler);
        Assert.All(requests, request => request.RequireWhole());
        Assert.Contains("step 8", runner.Trace);
        Assert.Equal(Enumerable.Range(0, 12).Select(index => (ulong)index), runner.Begun);
        Assert.Equal(0, runner.Pins);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Searches_together_and_beside_samples_are_the_searches_alone(bool runsAhead)
    {
        var runner = new FakeRunner(roomy, runsAhead);
        using var scheduler = new Scheduler(runner, roomy);
        FakeRequest[] requests = [.. Enumerable.Range(0, 9).Select(index => new FakeRequest(
            FakeRequest.Prompt(30 + (index * 61), index * 13, index % 3), (ulong)index, 150, beams: index % 3 == 1 ? null : FakeRequest.Beams(2 + (index % 4))))];
        foreach (FakeRequest request in requests)
            scheduler.Add(request.Request);
        Run(scheduler);
        Assert.All(requests, request => request.RequireWhole());
        Assert.Contains(requests, request => request.Ids.Count > 64);
        Assert.Equal((0, runner.Pool.PageCount), (runner.Pins, scheduler.AvailablePages));
        scheduler.DropPrefixes();
        Assert.Equal(runner.Pool.PageCount, runner.Pool.FreePages);
    }

    [Fact]
    public void Beams_share_the_pages_of_their_prompt()
    {
        var runner = new FakeRunner(roomy, runsAhead: false);
        using var scheduler = new Scheduler(runner, roomy);
        var request = new FakeRequest(FakeRequest.Prompt(640 + 30), 1, 34, beams: FakeRequest.Beams(8));
        scheduler.Add(request.Request);
        int most = 0;
        while (scheduler.HasWork)
        {
            scheduler.Iterate();
            most = Math.Max(most, runner.Pool.PageCount - runner.Pool.FreePages);
        }

        // Ten whole pages, the one that the prompt leaves half full, and a copy of it for each beam.
        Assert.InRange(most, 11 + 2, 11 + 8);
        Assert.Equal(19, BeamAnswer.WorstPages(8, 670, 34));
        request.RequireWhole();
        var next = new FakeRequest([.. FakeRequest.Prompt(670), .. request.Ids.Select(PromptPosition.Text), PromptPosition.Text(7)], 2, 3);
        scheduler.Add(next.Request);
        Run(scheduler);
        Assert.True(next.RequireWhole().CachedTokens >= 670, "the answer's beginning is found in the cache");
    }

    [Fact]
    public void A_search_waits_until_all_its_beams_have_a_slot()
    {
        EngineSizes narrow = roomy with { Sequences = 4 };
        var runner = new FakeRunner(narrow, runsAhead: false);
        using var scheduler = new Scheduler(runner, narrow);
        ulong[] seeds = [FakeRunner.Endless, FakeRunner.Endless + 1];
        FakeRequest[] requests =
        [
            new(FakeRequest.Prompt(20), seeds[0], 10), new(FakeRequest.Prompt(25), seeds[1], 10), new(FakeRequest.Prompt(30), 1, 10, beams: FakeRequest.Beams(3)),
            new(FakeRequest.Prompt(35), 2, 10),
        ];
        foreach (FakeRequest request in requests)
            scheduler.Add(request.Request);
        for (scheduler.Iterate(); !requests[0].Request.Outcome.IsCompleted; scheduler.Iterate())
            Assert.True(scheduler.Running <= 2);
        Run(scheduler);
        Assert.All(requests, request => request.RequireWhole());
        Assert.Contains("step 4", runner.Trace);
        Assert.DoesNotContain("step 5", runner.Trace);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_long_prompt_delays_each_token_of_others_by_one_piece_at_most(bool runsAhead)
    {
        var runner = new FakeRunner(roomy, runsAhead);
        using var scheduler = new Scheduler(runner, roomy);
        ulong[] seeds = [FakeRunner.Endless, FakeRunner.Endless + 1, FakeRunner.Endless + 2];
        FakeRequest[] running = [.. seeds.Select((seed, index) => new FakeRequest(FakeRequest.Prompt(20, index * 31), seed, 300))];
        foreach (FakeRequest request in running)
            scheduler.Add(request.Request);
        while (scheduler.Answering < 3)
            scheduler.Iterate();
        for (int iteration = 0; iteration < 5; iteration++)
            scheduler.Iterate();
        var arrived = new FakeRequest(FakeRequest.Prompt(1300, 400, pictures: 2), seed: 77, 5);
        scheduler.Add(arrived.Request);
        runner.Trace.Clear();
        while (arrived.Ids.Count == 0)
        {
            int[] before = [.. running.Select(request => request.Ids.Count)];
            scheduler.Iterate();
            Assert.Equal(before.Select(count => count + 1), running.Select(request => request.Ids.Count));
        }

        // 1340 positions: no piece over 256, and a step of the three after each; each picture through the vision tower is a piece of its own.
        List<string> pieces = [.. runner.Trace.Where(entry => !entry.StartsWith("step", StringComparison.Ordinal))];
        Assert.Equal(1340, pieces.Where(entry => entry.StartsWith("read", StringComparison.Ordinal)).Sum(Tokens));
        Assert.All(pieces.Where(entry => entry.StartsWith("read", StringComparison.Ordinal)), entry => Assert.InRange(Tokens(entry), 2, 256));
        Assert.Equal(2, pieces.Count(entry => entry == "encode"));
        for (int i = 1; i < runner.Trace.Count; i++)
            Assert.True(runner.Trace[i].StartsWith("step", StringComparison.Ordinal) || runner.Trace[i - 1].StartsWith("step", StringComparison.Ordinal), string.Join(", ", runner.Trace));
    }

    [Fact]
    public void A_lone_prompt_is_not_cut_and_no_piece_is_a_single_position()
    {
        var runner = new FakeRunner(roomy, runsAhead: false);
        using var scheduler = new Scheduler(runner, roomy);
        var long1 = new FakeRequest(FakeRequest.Prompt(2048), 1, 1);
        var long2 = new FakeRequest(FakeRequest.Prompt(2049, 3), 2, 1);
        foreach (FakeRequest request in new[] { long1, long2 })
        {
            scheduler.Add(request.Request);
            Run(scheduler);
            request.RequireWhole();
        }

        Assert.Equal(["read 2048", "read 2047", "read 2"], runner.Trace);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cancelled_request_frees_its_pages_within_a_step(bool runsAhead)
    {
        var runner = new FakeRunner(roomy, runsAhead);
        using var scheduler = new Scheduler(runner, roomy);
        ulong[] seeds = [FakeRunner.Endless, FakeRunner.Endless + 1];
        using var cancelled = new CancellationTokenSource();
        var leaving = new FakeRequest(FakeRequest.Prompt(500, 1), seeds[0], 200, cancellation: cancelled.Token);
        var staying = new FakeRequest(FakeRequest.Prompt(20, 31), seeds[1], 200);
        scheduler.Add(staying.Request);
        Iterate(scheduler, 5);
        int before = scheduler.AvailablePages;
        scheduler.Add(leaving.Request);
        Iterate(scheduler, 20);
        Assert.True(before - scheduler.AvailablePages >= 8, "the second request holds its pages");
        cancelled.Cancel();
        scheduler.Iterate();
        Assert.True(leaving.Request.Outcome.IsCanceled);
        // The other one may have begun a page meanwhile.
        Assert.InRange(before - scheduler.AvailablePages, 0, 1);
        Assert.Equal(1, scheduler.Running);
        Run(scheduler);
        staying.RequireWhole();
        leaving.RequireBeginning();
    }

    [Fact]
    public void A_request_waits_for_pages_and_nobody_overtakes_it()
    {
        EngineSizes small = new(Sequences: 4, PromptLength: 511, ContextLength: 512, CachePages: 9, Pictures: 1, KeptPictures: 1, PieceTokens: 256, StepTokens: 512);
        var runner = new FakeRunner(small, runsAhead: false);
        using var scheduler = new Scheduler(runner, small);
        ulong[] seeds = [FakeRunner.Endless];
        var first = new FakeRequest(FakeRequest.Prompt(200), seeds[0], 150);
        var large = new FakeRequest(FakeRequest.Prompt(300, 3), 2, 100);
        var tiny = new FakeRequest(FakeRequest.Prompt(5, 9), 3, 5);
        foreach (FakeRequest request in new[] { first, large, tiny })
            scheduler.Add(request.Request);
        for (scheduler.Iterate(); !first.Request.Outcome.IsCompleted; scheduler.Iterate())
            Assert.Equal(2, scheduler.Waiting);

        Run(scheduler);
        Assert.All(new[] { first, large, tiny }, request => request.RequireWhole());
    }

    [Fact]
    public void What_prompts_have_in_common_is_computed_once()
    {
        var runner = new FakeRunner(roomy, runsAhead: true);
        using var scheduler = new Scheduler(runner, roomy);
        List<PromptPosition> prompt = FakeRequest.Prompt(150, pictures: 1);
        Assert.Equal(0, Answer(prompt, 1).CachedTokens);
        Assert.Equal(prompt.Count - 1, Answer(prompt, 2).CachedTokens);
        List<PromptPosition> other = [.. prompt[..100], .. FakeRequest.Prompt(50, 77)];
        Assert.Equal(100, Answer(other, 3).CachedTokens);
        // A picture that looks alike and is another.
        List<PromptPosition> differs = FakeRequest.Prompt(150, pictures: 0);
        var twin = new PreparedPicture(new Model.ImageContentHash(0, 0, 0, 99), 20, []);
        differs.InsertRange(5, Enumerable.Range(0, 20).Select(row => PromptPosition.Visual(twin, row)));
        Assert.Equal(5, Answer(differs, 4).CachedTokens);
        Assert.Equal(2, runner.Trace.Count(entry => entry == "encode"));

        AnswerOutcome Answer(List<PromptPosition> asked, ulong seed)
        {
            var request = new FakeRequest(asked, seed, 30);
            scheduler.Add(request.Request);
            Run(scheduler);
            return request.RequireWhole();
        }
    }

    [Fact]
    public void A_running_request_shares_whole_pages()
    {
        var runner = new FakeRunner(roomy, runsAhead: false);
        using var scheduler = new Scheduler(runner, roomy);
        ulong[] seeds = [FakeRunner.Endless];
        var first = new FakeRequest(FakeRequest.Prompt(150), seeds[0], 100);
        var second = new FakeRequest(FakeRequest.Prompt(150), 9, 20);
        scheduler.Add(first.Request);
        Iterate(scheduler, 3);
        scheduler.Add(second.Request);
        Run(scheduler);
        first.RequireWhole();
        Assert.Equal(128, second.RequireWhole().CachedTokens);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Logits_that_are_no_numbers_end_their_own_row(bool runsAhead)
    {
        var runner = new FakeRunner(roomy, runsAhead);
        using var scheduler = new Scheduler(runner, roomy);
        ulong[] seeds = [FakeRunner.Endless, FakeRunner.Endless + 1];
        FakeRequest bad = new(FakeRequest.Prompt(20), seeds[0], 50), good = new(FakeRequest.Prompt(20, 31), seeds[1], 50);
        scheduler.Add(bad.Request);
        scheduler.Add(good.Request);
        Iterate(scheduler, 6);
        runner.BadRow = 0;
        Run(scheduler);
        EngineException failure = Assert.Throws<EngineException>(bad.Outcome);
        Assert.Contains("every logit is -infinity", failure.Message, StringComparison.Ordinal);
        bad.RequireBeginning();
        good.RequireWhole();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_that_fails_ends_all_that_run_and_the_next_request_is_answered(bool runsAhead)
    {
        var runner = new FakeRunner(roomy, runsAhead);
        using var scheduler = new Scheduler(runner, roomy);
        ulong[] seeds = [FakeRunner.Endless, FakeRunner.Endless + 1];
        FakeRequest[] failing = [.. seeds.Select((seed, index) => new FakeRequest(FakeRequest.Prompt(20, index), seed, 50))];
        foreach (FakeRequest request in failing)
            scheduler.Add(request.Request);
        Iterate(scheduler, 6);
        runner.Failure = new InvalidOperationException("the device is gone");
        Iterate(scheduler, 1);
        Assert.All(failing, request => Assert.Equal("the device is gone", Assert.Throws<InvalidOperationException>(request.Outcome).Message));
        Assert.False(scheduler.HasWork);
        var next = new FakeRequest(FakeRequest.Prompt(20), 7, 10);
        scheduler.Add(next.Request);
        Run(scheduler);
        next.RequireWhole();
    }

    [Fact]
    public void A_prompt_as_long_as_the_context_is_refused_and_the_limit_ends_with_the_context()
    {
        EngineSizes small = roomy with { PromptLength = 127, ContextLength = 128, CachePages = 3, StepTokens = 128 };
        var runner = new FakeRunner(small, runsAhead: true);
        using var scheduler = new Scheduler(runner, small);
        ulong[] seeds = [FakeRunner.Endless];
        FakeRequest refused = new(FakeRequest.Prompt(128), 1, 5), full = new(FakeRequest.Prompt(120), seeds[0], 1000);
        scheduler.Add(refused.Request);
        scheduler.Add(full.Request);
        Run(scheduler);
        Assert.Equal("the prompt has 128 tokens, the context is 128 tokens and must hold at least one of the answer", Assert.Throws<ContextFullException>(refused.Outcome).Message);
        Assert.Equal((FinishReason.Length, 8), (full.Outcome().Finish, full.Ids.Count));
    }

    /// <summary>Requests of every kind, most of them with a beginning that others have; cancelled, late, waiting for pages of a cache that is too small for all.</summary>
    [Theory]
    [InlineData(1, false, 17)]
    [InlineData(2, true, 17)]
    [InlineData(3, false, 17)]
    [InlineData(4, true, 17)]
    [InlineData(5, false, 6)]
    [InlineData(6, true, 6)]
    public void A_thousand_random_requests_lose_no_page_and_no_token(int seed, bool runsAhead, int memoryPages)
    {
        EngineSizes small = new(Sequences: 5, PromptLength: 511, ContextLength: 512, CachePages: 17, Pictures: 4, KeptPictures: 4, PieceTokens: 64, StepTokens: 256);
        var random = new Random(seed);
        var runner = new FakeRunner(small, runsAhead, memoryPages);
        using var scheduler = new Scheduler(runner, small);
        var requests = new List<(FakeRequest Request, CancellationTokenSource Cancel, int Added, int Work)>();
        int iteration = 0, whole = 0, ended = 0, refused = 0;
        while (requests.Count < 1000 || scheduler.HasWork)
        {
            if (requests.Count < 1000 && random.Next(3) == 0)
                Add();
            if (requests.Count > 0 && random.Next(12) == 0)
                requests[Math.Max(0, requests.Count - 1 - random.Next(12))].Cancel.Cancel();
            scheduler.Iterate();
            iteration++;
            Assert.InRange(scheduler.AvailablePages, 0, runner.Pool.PageCount);
            Assert.True(scheduler.Running <= small.Sequences);
        }

        foreach ((FakeRequest request, CancellationTokenSource cancel, _, _) in requests)
        {
            if (request.Request.Outcome.IsCompletedSuccessfully)
            {
                request.RequireWhole();
                whole++;
            }
            else if (request.Request.Outcome.Exception?.InnerException is EngineException tooLarge)
            {
                Assert.Contains($"has room for {memoryPages * 64} tokens", tooLarge.Message, StringComparison.Ordinal);
                (int prompt, int tokens) = (request.Request.Prompt.Count, request.Request.MaxTokens);
                Assert.True(request.Request.Width == 1 ? prompt + tokens - 1 > memoryPages * 64 : BeamAnswer.WorstPages(request.Request.Width, prompt, tokens) > memoryPages);
                refused++;
            }
            else
            {
                Assert.True(request.Request.Outcome.IsCanceled || request.Request.Outcome.Exception!.InnerException is TimeoutException, $"{request.Request.Outcome.Exception}");
                request.RequireBeginning();
                ended++;
            }

            cancel.Dispose();
        }

        Assert.True(whole > 400 && ended > 100 && refused > 0 == memoryPages < 9, $"{whole} whole, {ended} ended before, {refused} refused");
        Assert.Equal(memoryPages, runner.Pool.PageCount);
        Assert.Equal(runner.Begun.Order(), runner.Begun);
        Assert.Equal(runner.Pool.PageCount, scheduler.AvailablePages);
        Assert.Equal(0, runner.Pins);
        scheduler.DropPrefixes();
        Assert.Equal(runner.Pool.PageCount, runner.Pool.FreePages);

        void Add()
        {
            // The beginning of one of four conversations, or something new.
            int start = random.Next(4) * 100, length = random.Next(3) == 0 ? random.Next(1, 500) : random.Next(1, 150), pictures = random.Next(3);
            List<PromptPosition> prompt = FakeRequest.Prompt(Math.Min(length, 511 - (20 * pictures)), random.Next(4) == 0 ? random.Next(1000) : start, pictures);
            var cancel = new CancellationTokenSource();
            int added = iteration, number = requests.Count, tokens = random.Next(1, 120);
            // What is before it, and itself: pieces, pictures and tokens. So long it may take at most.
            BeamSettings? beams = random.Next(4) == 0 ? FakeRequest.Beams(random.Next(2, 4)) : null;
            int work = requests.Where(other => !other.Request.Request.Outcome.IsCompleted).Sum(other => other.Work) + Work(prompt, pictures, tokens, beams);
            FakeRequest request = new(prompt, (ulong)number, Math.Min(tokens, 512 - prompt.Count), random.Next(50) == 0 ? TimeSpan.FromTicks(1) : null, beams, cancel.Token)
            {
                Heard = () => Assert.True(iteration - added <= work + 2, $"request {number} waits for {iteration - added} iterations, {work} are enough"),
            };
            requests.Add((request, cancel, added, Work(prompt, pictures, tokens, beams)));
            scheduler.Add(request.Request);
        }

        // Where steps run ahead, those of beams wait for what they hear: every second iteration is one of theirs.
        static int Work(List<PromptPosition> prompt, int pictures, int tokens, BeamSettings? beams) => (prompt.Count / 32) + 2 + pictures + (beams is null ? tokens : 2 * tokens);
    }

    private static int Tokens(string entry) => int.Parse(entry.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

    private static void Run(Scheduler scheduler)
    {
        for (int iteration = 0; scheduler.HasWork; iteration++)
        {
            Assert.True(iteration < 100_000, "requests do not end");
            scheduler.Iterate();
        }
    }

    private static void Iterate(Scheduler scheduler, int times)
    {
        for (int time = 0; time < times; time++)
            scheduler.Iterate();
    }
}

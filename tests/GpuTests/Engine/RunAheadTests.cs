using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Steps that are queued before the host knows their tokens: what is kept, and what is not.</summary>
public sealed class RunAheadTests(GpuDevice device)
{
    private static readonly string checkpoint = RepositoryPaths.Root is null ? "" : RepositoryPaths.Find("tools/demo/checkpoint");

    private static readonly SamplingParameters greedy = new(Greedy: true, Temperature: 1, TopK: 0, TopP: 1, RepetitionPenalty: 1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>At every length, so that the last token is one with a step under way (an end mark, a stop text) and one without (the limit).</summary>
    [Fact]
    public async Task Answers_end_where_the_processors_end_and_so_does_the_cache()
    {
        using XComposerEngine cuda = await LoadAsync(DeviceKind.Cuda), cpu = await LoadAsync(DeviceKind.Cpu);
        using ChatSession onCuda = cuda.CreateSession(), onCpu = cpu.CreateSession();
        var sampled = new GenerationOptions { Seed = 5, Temperature = 2f, TopP = 0.95f, TopK = 40, RepetitionPenalty = 1.2f };
        GenerationOptions[] each =
        [
            sampled with { MaxTokens = 1 }, sampled with { MaxTokens = 2 }, sampled with { MaxTokens = 3 }, sampled with { MaxTokens = 60 },
            new GenerationOptions { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 40 },
            new GenerationOptions { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 40, Stop = ["cross"] },
            sampled with { MaxTokens = 30, RepetitionPenalty = 3f },
        ];
        foreach (GenerationOptions options in each)
        {
            GenerationResult expected = await AskAsync(onCpu, options), found = await AskAsync(onCuda, options);
            Assert.Equal(expected.TokenIds, found.TokenIds);
            Assert.Equal((expected.Text, expected.FinishReason, expected.Usage), (found.Text, found.FinishReason, found.Usage));
            Assert.Equal(expected.Timings.DecodeSteps, found.Timings.DecodeSteps);
            Assert.Equal(await CachedAsync(cpu), await CachedAsync(cuda));
        }
    }

    /// <summary>To the very end of the context: a step beyond it would write where no page is.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task An_answer_ends_with_the_context(int room)
    {
        int prompt;
        using (XComposerEngine measured = await LoadAsync(DeviceKind.Cpu))
        using (ChatSession asked = measured.CreateSession())
            prompt = (await AskAsync(asked, new GenerationOptions { MaxTokens = 1 })).Usage.PromptTokens;
        using XComposerEngine cuda = await LoadAsync(DeviceKind.Cuda, prompt + room), cpu = await LoadAsync(DeviceKind.Cpu, prompt + room);
        using ChatSession onCuda = cuda.CreateSession(), onCpu = cpu.CreateSession();
        var options = new GenerationOptions { Greedy = true, RepetitionPenalty = 1f };
        GenerationResult expected = await AskAsync(onCpu, options), found = await AskAsync(onCuda, options);
        Assert.Equal(expected.TokenIds, found.TokenIds);
        Assert.Equal((room, FinishReason.Length), (found.TokenIds.Count, found.FinishReason));
        Assert.Equal([prompt + room - 1], await CachedAsync(cpu));
        Assert.Equal([prompt + room - 1], await CachedAsync(cuda));
    }

    [Fact]
    public async Task A_cancelled_answer_leaves_a_cache_that_is_as_good_as_none()
    {
        using XComposerEngine cuda = await LoadAsync(DeviceKind.Cuda);
        using ChatSession cancelled = cuda.CreateSession(), fresh = cuda.CreateSession();
        var options = new GenerationOptions { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 30 };
        for (int deltas = 1; deltas <= 3; deltas++)
        {
            using var cancellation = new CancellationTokenSource();
            int seen = 0;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (GenerationEvent next in cancelled.SendAsync(Question, options, cancellation.Token))
                    if (next is TextDelta && ++seen == deltas)
                        await cancellation.CancelAsync();
            });
        }

        Assert.Equal((await AskAsync(fresh, options)).TokenIds, (await AskAsync(cancelled, options)).TokenIds);
    }

    /// <summary>Three sequences in one step, each with a sampler of its own; one leaves with a step under way, and the others go on.</summary>
    [Fact]
    public void Sequences_of_a_batch_run_ahead_together()
    {
        using var cuda = new Batch(new CudaBackend(new CudaBackendOptions { Device = Options, Storage = DType.F32 }), checkpoint);
        using var cpu = new Batch(new CpuBackend(2), checkpoint);
        Assert.Equal(cpu.Generate(isAhead: false, Cancellation), cuda.Generate(isAhead: true, Cancellation));
    }

    [Fact]
    public void A_fifth_choice_is_refused_and_without_one_there_is_nothing_to_take()
    {
        using var cuda = new Batch(new CudaBackend(new CudaBackendOptions { Device = Options, Storage = DType.F16 }), checkpoint);
        using ITokenSampler sampler = cuda.Prefill(0, greedy, seed: 0, Cancellation);
        for (int choice = 1; choice < ITokenSampler.MaximumPending; choice++)
            Choose();
        Assert.Equal("4 choices are not taken yet", Assert.Throws<InvalidOperationException>(Choose).Message);
        int first = sampler.Take()[0].Id;
        for (int choice = 1; choice < ITokenSampler.MaximumPending; choice++)
            Assert.Equal(first, sampler.Take()[0].Id);
        Assert.Equal("nothing was chosen", Assert.Throws<InvalidOperationException>(() => { sampler.Take(); }).Message);

        void Choose() => sampler.Choose(cuda.Prompt, cuda.PromptLogits, [new SampleRow(0, 0)]);
    }

    /// <summary>The device is not waited for where a step is queued: what it would do is still to be done then.</summary>
    [Fact]
    public void The_host_reads_a_token_while_the_next_step_is_to_be_done()
    {
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
            Assert.Skip("a real device works at a time of its own");
        using var cuda = new Batch(new CudaBackend(new CudaBackendOptions { Device = Options, Storage = DType.F16 }), checkpoint);
        using ITokenSampler sampler = cuda.Prefill(0, greedy, seed: 0, Cancellation);
        cuda.Step([sampler], Cancellation);
        sampler.Take();
        Assert.False(cuda.IsIdle, "the second step was waited for");
        sampler.Take();
        Assert.True(cuda.IsIdle);
    }

    [Fact]
    public void A_token_allocates_nothing()
    {
        CancellationToken cancellation = Cancellation;
        using LoadedModel model = LoadedModel.Open(checkpoint, new DeviceOptions { Kind = DeviceKind.Cuda, Storage = DType.F32 });
        using var runner = new ModelRunner(model.Config, model.Weights, model.Backend, EngineSizes.ForOne(model.Config, 512));
        using var sequence = new KeyValueSequence(runner.Pool);
        runner.Begin(0, new SamplingRequest { Parameters = greedy });
        sequence.Reserve(2);
        runner.Read(sequence, [PromptPosition.Text(300), PromptPosition.Text(301)], new RowChoice(0), cancellation);
        sequence.Advance(2);
        for (int token = 0; token < 3; token++)
            Generate();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Generate();
        Generate();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Generate()
        {
            sequence.Reserve(1);
            runner.Step([new StepRow(sequence, new RowChoice(0))], cancellation);
            runner.Take();
            sequence.Advance(1);
        }
    }

    /// <summary>Inputs have page-locked places of their own: the next step's are written when the copies are done, not the step.</summary>
    [Fact]
    public void The_host_writes_the_next_prompt_step_while_the_one_before_is_to_be_done()
    {
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
            Assert.Skip("a real device works at a time of its own");
        using var cuda = new Batch(new CudaBackend(new CudaBackendOptions { Device = Options, Storage = DType.F16 }), checkpoint);
        using ITokenSampler first = cuda.Prefill(0, greedy, seed: 0, Cancellation);
        using ITokenSampler second = cuda.Prefill(1, greedy, seed: 0, Cancellation);
        Assert.False(cuda.IsIdle, "the second prompt was waited for");
        int id = first.Take()[0].Id;
        Assert.False(cuda.IsIdle, "the second prompt was waited for");
        Assert.NotEqual(id, second.Take()[0].Id);
    }

    private static UserMessage Question => new("How many shapes are there?", []);

    private Cuda.CudaOptions Options => new() { DriverLibrary = device.Context.Driver.Library };

    private static async Task<GenerationResult> AskAsync(ChatSession session, GenerationOptions options)
    {
        await foreach (GenerationEvent next in session.SendAsync(Question, options, Cancellation))
            if (next is GenerationCompleted completed)
                return completed.Result;
        throw new InvalidOperationException("an answer ended without a result");
    }

    /// <summary>Positions of each sequence that is kept.</summary>
    private static Task<IReadOnlyList<int>> CachedAsync(XComposerEngine engine) => engine.OnThreadAsync(() => engine.Scheduler.PrefixLengths);

    private Task<XComposerEngine> LoadAsync(DeviceKind kind, int context = 512)
    {
        Assert.NotNull(device.Context);
        return XComposerEngine.LoadAsync(
            new EngineOptions { ModelPath = checkpoint, Limits = new EngineLimits { Context = context }, Device = new DeviceOptions { Kind = kind, Storage = DType.F32 } }, Cancellation);
    }
}

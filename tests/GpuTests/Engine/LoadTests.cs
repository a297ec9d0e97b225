using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>What loading a model onto the device tells, and what it takes of memory.</summary>
public sealed class LoadTests(GpuDevice device)
{
    private static readonly string checkpoint = RepositoryPaths.Root is null ? "" : RepositoryPaths.Find("tools/demo/checkpoint");

    [Theory]
    [InlineData(EmbeddingPlace.Device)]
    [InlineData(EmbeddingPlace.Host)]
    public async Task Uploads_are_told_and_are_what_was_planned(EmbeddingPlace embeddings)
    {
        var reports = new Reports();
        using XComposerEngine engine = await LoadAsync(embeddings, reports);
        LoadProgress[] uploads = [.. reports.All.Where(report => report.Phase == LoadPhase.UploadingWeights)];
        var options = new DeviceOptions { Embeddings = embeddings, Storage = device.Supports(DType.BF16) ? null : Graph.DType.F16 };
        ModelMemoryPlan plan = ModelMemoryPlan.ForCheckpointOnCuda(checkpoint, 512, options);
        long all = plan.Weights.Bytes + plan.PageLocked.Sum(item => item.Bytes);
        Assert.Equal(uploads.Select(upload => upload.Done), uploads.Select(upload => upload.Done).Order());
        Assert.All(uploads, upload => Assert.Equal(all, upload.Total));
        Assert.Equal(all, uploads[^1].Done);
    }

    [Fact]
    public void Dequantised_weights_are_uploaded_as_planned_and_leave_host_memory()
    {
        string gptq = SharedMaterial.Find("golden/gptq-4bit-128g");
        device.Require("f16");
        var options = new DeviceOptions { Kind = DeviceKind.Cuda, Storage = DType.F16 };
        ModelMemoryPlan plan = ModelMemoryPlan.ForCheckpointOnCuda(gptq, 64, options);
        using LoadedModel model = LoadedModel.Open(gptq, options);
        using var runner = new ModelRunner(model.Config, model.Weights, model.Backend, EngineSizes.ForOne(model.Config, 64));
        runner.Prepare();
        Assert.Equal(plan.Weights.Bytes, ((CudaBackend)model.Backend).WeightBytes);
        Assert.Equal(sizeof(float) * (model.Config.TokensPerImage + 1) * model.Config.Vision.Width, model.Weights.HeldBytes);
        Assert.True(Assert.Single(plan.Host).Bytes >= 2 * WeightFacts.Of(model.Weights, model.Config).LargestConvertedBytes);
    }

    /// <summary>All that binding every graph allocates: weights, arena, cache, inputs, rows of pictures, tables, scratch.</summary>
    [Theory]
    [InlineData("stored", false, EmbeddingPlace.Device)]
    [InlineData("int4", false, EmbeddingPlace.Device)]
    [InlineData("int4", true, EmbeddingPlace.Host)]
    public void The_device_counts_what_was_planned(string weights, bool hasInt8Cache, EmbeddingPlace embeddings)
    {
        device.Require("f16");
        var options = new DeviceOptions { Kind = DeviceKind.Cuda, Storage = Graph.DType.F16, Cache = hasInt8Cache ? Graph.CacheFormat.Int8 : null, Embeddings = embeddings };
        using LoadedModel model = LoadedModel.Open(checkpoint, options, weights == "int4" ? WeightQuantization.Int4 : WeightQuantization.None);
        var gpu = (CudaBackend)model.Backend;
        EngineSizes sizes = EngineSizes.Resolve(new EngineLimits { Context = 2048 }, model.Config, gpu.CacheFormat, DeviceKind.Cuda);
        ModelMemoryPlan plan = ModelMemoryPlan.For(model, sizes, embeddings);
        long before = gpu.ReadMemory().FreeBytes;
        using var runner = new ModelRunner(model.Config, model.Weights, model.Backend, sizes);
        runner.Prepare();
        // What grows with use is planned as if it was used.
        Assert.True(runner.Pool.Prepare(sizes.FirstPages));
        int tokens = model.Config.TokensPerImage;
        for (int picture = 0; picture < sizes.KeptPictures; picture++)
            runner.SetRows(new PreparedPicture(new ImageContentHash(0, 0, 0, (ulong)picture), tokens, []), new float[tokens * model.Config.Decoder.HiddenSize]);
        long used = before - gpu.ReadMemory().FreeBytes;
        TestContext.Current.TestOutputHelper!.WriteLine($"planned {plan.TotalBytes}, allocated {used}: {string.Join(", ", plan.Allocated.Items.Prepend(plan.Weights).Select(item => $"{item.Name} {item.Bytes}"))}");
        Assert.Equal(plan.Weights.Bytes, gpu.WeightBytes);
        Assert.InRange(plan.TotalBytes, used * 0.99, used * 1.01);
    }

    [Fact]
    public async Task Embeddings_in_host_memory_take_none_of_the_devices_and_change_no_answer()
    {
        using XComposerEngine onDevice = await LoadAsync(EmbeddingPlace.Device), onHost = await LoadAsync(EmbeddingPlace.Host);
        long table = 2L * onHost.Config.Decoder.VocabularySize * onHost.Config.Decoder.HiddenSize;
        Assert.Equal(onDevice.WeightBytesOnDevice - table, onHost.WeightBytesOnDevice);
        var options = new GenerationOptions { Greedy = true, MaxTokens = 20 };
        Assert.Equal((await AskAsync(onDevice, options)).TokenIds, (await AskAsync(onHost, options)).TokenIds);
    }

    /// <summary>A prompt of another length runs in another graph, whose kernels were compiled with all others.</summary>
    [Fact]
    public async Task Every_kernel_is_ready_before_the_first_question()
    {
        using XComposerEngine engine = await LoadAsync(EmbeddingPlace.Device);
        int ready = engine.LoadedKernels;
        Assert.True(ready > 0);
        string picture = RepositoryPaths.Find("tools/demo/pictures/shapes-3.png");
        var options = new GenerationOptions { Greedy = true, MaxTokens = 2 };
        foreach (int words in (int[])[1, 9, 40, 160])
            await AskAsync(engine, options, new UserMessage(string.Join(' ', Enumerable.Repeat("shape", words)), words == 9 ? [ImageInput.FromFile(picture)] : []));
        Assert.Equal(ready, engine.LoadedKernels);
    }

    private static async Task<GenerationResult> AskAsync(XComposerEngine engine, GenerationOptions options, UserMessage? message = null)
    {
        using ChatSession session = engine.CreateSession();
        await foreach (GenerationEvent next in session.SendAsync(message ?? new UserMessage("How many shapes are there?", []), options, TestContext.Current.CancellationToken))
            if (next is GenerationCompleted completed)
                return completed.Result;
        throw new InvalidOperationException("an answer ended without a result");
    }

    private Task<XComposerEngine> LoadAsync(EmbeddingPlace embeddings, IProgress<LoadProgress>? progress = null)
    {
        Assert.NotNull(device.Context);
        return XComposerEngine.LoadAsync(
            new EngineOptions { ModelPath = checkpoint, Limits = new EngineLimits { Context = 512 }, Device = new DeviceOptions { Kind = DeviceKind.Cuda, Embeddings = embeddings }, Progress = progress },
            TestContext.Current.CancellationToken);
    }

    private sealed class Reports : IProgress<LoadProgress>
    {
        public List<LoadProgress> All { get; } = [];

        public void Report(LoadProgress value) => All.Add(value);
    }
}

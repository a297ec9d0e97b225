using XComposer2.Native.Cli;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Weight files that change while an engine uses them, and the memory that weights take beside their files.</summary>
public sealed class WeightLoadingTests : IDisposable
{
    private static readonly GenerationOptions greedy = new() { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 12 };

    private static readonly DeviceOptions processor = new() { Kind = DeviceKind.Cpu, Threads = 2 };

    private readonly string folder = Directory.CreateTempSubdirectory("xc2-loading").FullName;

    private string Weights => Path.Combine(folder, "model.safetensors");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Weights_in_memory_answer_alike_when_their_file_is_truncated_and_overwritten()
    {
        CopyDemo();
        await using XComposerEngine mapped = await LoadAsync(WeightLoading.Mapped), inMemory = await LoadAsync(WeightLoading.Memory);
        IReadOnlyList<int> expected = await AnswerAsync(mapped);
        Truncate(1000);
        Assert.Equal(expected, await AnswerAsync(inMemory));
        await File.WriteAllBytesAsync(Weights, new byte[10_000_000], Cancellation);
        Assert.Equal(expected, await AnswerAsync(inMemory));
    }

    [Fact]
    public async Task Truncated_mapped_file_fails_the_request_and_the_engine_stays()
    {
        CopyDemo();
        await using XComposerEngine engine = await LoadAsync(WeightLoading.Mapped);
        await AnswerAsync(engine);
        Truncate(1000);
        for (int request = 0; request < 2; request++)
        {
            CheckpointException error = await Assert.ThrowsAsync<CheckpointException>(() => AnswerAsync(engine));
            Assert.Contains("model.safetensors: file: expected ", error.Message, StringComparison.Ordinal);
            Assert.Contains("found 1000 bytes: it was truncated while in use; load the model again", error.Message, StringComparison.Ordinal);
        }
        await Assert.ThrowsAsync<CheckpointException>(() => engine.PictureFeaturesAsync(ImageInput.FromFile(TestPaths.Repository("tools/demo/pictures/shapes-1.png")), Cancellation));
    }

    [Theory]
    [InlineData("golden/gptq-4bit-128g", false, "stored")]
    [InlineData("golden/gptq-4bit-128g", true, "stored")]
    [InlineData("golden/gptq-4bit-128g", true, "int8")]
    [InlineData("golden/fp16-torch-bin", true, "stored")]
    [InlineData("golden/mqa-head128-bf16", false, "int8")]
    [InlineData("golden/mqa-head128-bf16", false, "int8", ActivationPrecision.Float)]
    [InlineData("golden/mqa-head128-bf16", true, "int4")]
    [InlineData("golden/gptq-4bit-128g", false, "int4", ActivationPrecision.Float)]
    public void Plan_counts_the_bytes_that_weights_allocate(string checkpoint, bool isAdapted, string weights, ActivationPrecision activations = ActivationPrecision.Int8)
    {
        WeightQuantization quantization = weights switch { "int8" => WeightQuantization.Int8, "int4" => WeightQuantization.Int4, _ => WeightQuantization.None };
        string path = TestPaths.Shared(checkpoint);
        if (!Directory.Exists(path))
            Assert.Skip($"../shared/{checkpoint} is not here");
        CheckpointOptions options = new() { Adapters = isAdapted ? [WriteAdapter(path)] : [] };
        using LoadedModel model = LoadedModel.Open(path, processor with { Activations = activations }, quantization, options: options);
        EngineSizes sizes = EngineSizes.ForOne(model.Config, 64);
        ModelMemoryPlan plan = ModelMemoryPlan.For(model, sizes, EmbeddingPlace.Device);
        using var runner = new ModelRunner(model.Config, model.Weights, model.Backend, sizes);
        runner.Prepare();

        long planned = plan.Allocated.Items.Where(item => item.Name.StartsWith("weights", StringComparison.Ordinal)).Sum(item => item.Bytes);
        Assert.Equal(planned, model.Weights.HeldBytes + ((CpuBackend)model.Backend).PackedBytes);
        Assert.True(planned > sizeof(float) * (model.Config.TokensPerImage + 1) * model.Config.Vision.Width, "nothing but the position table");
    }

    [Fact]
    public void Plan_counts_files_in_memory_and_rotary_tables_and_adapters()
    {
        CopyDemo();
        string adapter = WriteAdapter(folder);
        ModelMemoryPlan mapped = ModelMemoryPlan.ForCheckpoint(folder, 512, 2);
        ModelMemoryPlan inMemory = ModelMemoryPlan.ForCheckpoint(folder, 512, 2, options: new CheckpointOptions { Loading = WeightLoading.Memory });
        ModelMemoryPlan adapted = ModelMemoryPlan.ForCheckpoint(folder, 512, 2, options: new CheckpointOptions { Adapters = [adapter] });
        Assert.Equal(mapped.Allocated.TotalBytes + new FileInfo(Weights).Length, inMemory.Allocated.TotalBytes);
        Assert.Equal(0, inMemory.Weights.Bytes);
        const long Merged = 256 * 256 * 2;
        Assert.Equal((mapped.Weights.Bytes - Merged, mapped.Allocated.TotalBytes + Merged), (adapted.Weights.Bytes, adapted.Allocated.TotalBytes));
        Assert.Equal(512 * 64 * sizeof(float), Assert.Single(mapped.Allocated.Items, item => item.Name == "rotary table").Bytes);
        ModelMemoryPlan onGpu = ModelMemoryPlan.ForCheckpointOnCuda(folder, 512, new DeviceOptions(), options: new CheckpointOptions { Adapters = [adapter], Loading = WeightLoading.Memory });
        Assert.Equal(new FileInfo(Weights).Length + new FileInfo(Path.Combine(adapter, "adapter_model.safetensors")).Length, onGpu.Host[0].Bytes);
        Assert.True(onGpu.Host[1].Bytes >= 2 * Merged);
    }

    [Fact]
    public void Converted_weights_that_exceed_memory_are_rejected_with_numbers()
    {
        CopyDemo();
        using LoadedModel model = LoadedModel.Open(folder, processor);
        ModelMemoryPlan plan = ModelMemoryPlan.For(model, EngineSizes.ForOne(model.Config, 64), EmbeddingPlace.Device);
        ModelMemoryPlan huge = plan with { Allocated = new MemoryBudget([new MemoryItem(ModelMemoryPlan.ConvertedWeights, 1L << 50), .. plan.Allocated.Items]) };
        plan.RequireFit(model.Backend);
        EngineException error = Assert.Throws<EngineException>(() => huge.RequireFit(model.Backend));
        Assert.Contains("(weights converted while loading: 1,073,741,824 MiB, ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_line_chooses_the_loading()
    {
        CopyDemo();
        using CliHarness chat = new(), plan = new(), preset = new();
        Assert.Equal(ExitCode.Done, await chat.RunAsync("chat", "--model", folder, "--loading", "memory", "hi"));
        Assert.Equal(WeightLoading.Memory, chat.LoadedWith!.Loading);
        Assert.Equal(ExitCode.Done, await plan.RunAsync("plan", "--model", folder, "--loading", "memory", "--adapter", WriteAdapter(folder)));
        Assert.Contains("weight files, read into memory", plan.Output, StringComparison.Ordinal);
        Assert.Contains("1 adapter merged", plan.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, await preset.RunAsync("plan", "--preset", ModelPresets.VisionLanguage1B8, "--loading", "memory"));
    }

    [Fact]
    public async Task Inspection_states_the_memory_of_dequantised_weights()
    {
        string path = TestPaths.Shared("golden/gptq-4bit-128g");
        if (!Directory.Exists(path))
            Assert.Skip("../shared/golden is not here");
        using CliHarness xc2 = new();
        await xc2.RunAsync("inspect", path);
        Assert.Matches(@"memory +\d+\.\d+ [kM]B for weights converted while loading", xc2.Output);
    }

    private static async Task<IReadOnlyList<int>> AnswerAsync(XComposerEngine engine)
    {
        await using ChatSession session = engine.CreateSession();
        return (await session.AskAsync(new UserMessage("How many shapes are there?", [ImageInput.FromFile(TestPaths.Repository("tools/demo/pictures/shapes-3.png"))]), greedy)).TokenIds;
    }

    private Task<XComposerEngine> LoadAsync(WeightLoading loading) => XComposerEngine.LoadAsync(
        new EngineOptions { ModelPath = folder, Loading = loading, Device = processor, Limits = new EngineLimits { Context = 512 } }, Cancellation);

    private void CopyDemo()
    {
        foreach (string file in Directory.EnumerateFiles(TestPaths.Repository("tools/demo/checkpoint")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    private void Truncate(long length)
    {
        using FileStream file = new(Weights, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(length);
    }

    /// <summary>Changes one linear of the first layer.</summary>
    private string WriteAdapter(string checkpoint)
    {
        const string Module = "model.layers.0.attention.wo";
        string adapter = Path.Combine(folder, "adapter");
        Directory.CreateDirectory(adapter);
        using Checkpoint model = CheckpointFolder.Open(checkpoint);
        Shape shape = model.Tensors.Single(tensor => tensor.Name == Module + ".weight").Shape;
        File.WriteAllText(Path.Combine(adapter, "adapter_config.json"), """{"peft_type":"LORA","r":2,"lora_alpha":2}""");
        File.WriteAllBytes(Path.Combine(adapter, "adapter_model.safetensors"), TinyCheckpoint.Safetensors(new Dictionary<string, TinyTensor>
        {
            [$"base_model.model.{Module}.lora_A.weight"] = TinyTensor.F32(new Shape(2, shape[1]), i => i % 3),
            [$"base_model.model.{Module}.lora_B.weight"] = TinyTensor.F32(new Shape(shape[0], 2), i => (i % 5) / 64f),
        }));
        return adapter;
    }
}

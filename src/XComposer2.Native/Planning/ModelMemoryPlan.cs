using System.Globalization;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Planning;

/// <summary>Memory use of a model on a device by item, known before anything is allocated.</summary>
/// <param name="Model">The checkpoint or preset in words.</param>
/// <param name="ContextLength">Longest sequence in tokens.</param>
/// <param name="Weights">The weights. On the CPU they are memory-mapped, so the system may drop pages and read them again.</param>
/// <param name="Allocated">All allocations: quantised weights, cache, arena, inputs.</param>
public sealed record ModelMemoryPlan(string Model, int ContextLength, MemoryItem Weights, MemoryBudget Allocated)
{
    /// <summary>The processor, or a GPU.</summary>
    public DeviceKind Device { get; init; } = DeviceKind.Cpu;

    /// <summary>Page-locked host memory for a GPU; not part of <see cref="TotalBytes"/>.</summary>
    public IReadOnlyList<MemoryItem> PageLocked { get; init; } = [];

    /// <summary>What may be allocated later, with use: the cache of long sequences, rows of their pictures. Not part of <see cref="TotalBytes"/>.</summary>
    public IReadOnlyList<MemoryItem> Growth { get; init; } = [];

    /// <summary>Weights and allocations.</summary>
    /// <exception cref="OverflowException">The sum exceeds 63 bits.</exception>
    public long TotalBytes => checked(Weights.Bytes + Allocated.TotalBytes);

    /// <summary>The largest plan of each graph: vision of one picture, prefill, decode.</summary>
    internal IReadOnlyList<ExecutionPlan> Plans { get; init; } = [];

    /// <summary>Memory use of a checkpoint on the CPU.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="contextLength">In tokens; null for the checkpoint's own.</param>
    /// <param name="threads">CPU threads; null for one per processor.</param>
    /// <param name="quantization">Quantisation of the decoder's linears.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The context or the number of threads is out of range.</exception>
    public static ModelMemoryPlan ForCheckpoint(
        string path, int? contextLength = null, int? threads = null, WeightQuantization quantization = WeightQuantization.None)
    {
        using LoadedModel model = LoadedModel.Open(path, new DeviceOptions { Kind = DeviceKind.Cpu, Threads = threads }, quantization);
        return For(model, Sizes(contextLength, model.Config, CacheFormat.F32, DeviceKind.Cpu), EmbeddingPlace.Device);
    }

    /// <summary>Memory use of a published model on the CPU, without its weights.</summary>
    /// <param name="preset">One of <see cref="ModelPresets.Names"/>.</param>
    /// <param name="contextLength">In tokens; null for the model's own.</param>
    /// <param name="threads">CPU threads; null for one per processor.</param>
    /// <param name="weights">Type of all weights, as stored.</param>
    /// <param name="quantization">Quantisation of the decoder's linears.</param>
    /// <exception cref="EngineException">No preset has this name, or the context is out of range.</exception>
    public static ModelMemoryPlan ForPreset(
        string preset, int? contextLength = null, int? threads = null, DType weights = DType.BF16, WeightQuantization quantization = WeightQuantization.None)
    {
        ModelConfig config = Presets.Find(preset);
        return For(preset + Quantizations.Describe(quantization), config, WeightFacts.Uniform(config, weights, quantization), Sizes(contextLength, config, CacheFormat.F32, DeviceKind.Cpu), threads ?? Environment.ProcessorCount, CacheFormat.F32);
    }

    /// <summary>Memory use of a checkpoint on a GPU. No GPU is required.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="contextLength">In tokens; null for the checkpoint's own.</param>
    /// <param name="device">Storage type and place of the embeddings.</param>
    /// <param name="quantization">Quantisation of the decoder's linears.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The context is out of range.</exception>
    public static ModelMemoryPlan ForCheckpointOnCuda(string path, int? contextLength, DeviceOptions device, WeightQuantization quantization = WeightQuantization.None)
    {
        ArgumentNullException.ThrowIfNull(device);
        using LoadedModel model = LoadedModel.Open(path, new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 1 }, quantization);
        DType storage = device.Storage ?? Backends.PreferredStorage(model.Config.StoredType);
        return CudaMemoryPlan.For(model.Description, model.Config, WeightFacts.Of(model.Weights, model.Config), Sizes(contextLength, model.Config, CacheFormat.Of(storage), DeviceKind.Cuda), storage, device.Embeddings);
    }

    /// <summary>Memory use of a published model on a GPU, without its weights. No GPU is required.</summary>
    /// <param name="preset">One of <see cref="ModelPresets.Names"/>.</param>
    /// <param name="contextLength">In tokens; null for the model's own.</param>
    /// <param name="device">Storage type and place of the embeddings.</param>
    /// <param name="quantization">Quantisation of the decoder's linears.</param>
    /// <exception cref="EngineException">No preset has this name, or the context is out of range.</exception>
    public static ModelMemoryPlan ForPresetOnCuda(string preset, int? contextLength, DeviceOptions device, WeightQuantization quantization = WeightQuantization.None)
    {
        ArgumentNullException.ThrowIfNull(device);
        ModelConfig config = Presets.Find(preset);
        DType storage = device.Storage ?? DType.BF16;
        return CudaMemoryPlan.For(preset + Quantizations.Describe(quantization), config, WeightFacts.Uniform(config, storage, quantization), Sizes(contextLength, config, CacheFormat.Of(storage), DeviceKind.Cuda), storage, device.Embeddings);
    }

    internal static ModelMemoryPlan For(LoadedModel model, EngineSizes sizes, EmbeddingPlace embeddings)
    {
        WeightFacts facts = WeightFacts.Of(model.Weights, model.Config);
        return model.Backend is CpuBackend processor
            ? For(model.Description, model.Config, facts, sizes, processor.Threads, processor.CacheFormat)
            : CudaMemoryPlan.For(model.Description, model.Config, facts, sizes, ((CudaBackend)model.Backend).Storage, embeddings);
    }

    /// <exception cref="CudaUnavailableException">The GPU has less memory free than is to be allocated; the message has the numbers.</exception>
    internal void RequireFit(CudaBackend gpu)
    {
        (long free, long total) = gpu.ReadMemory();
        if (TotalBytes <= free)
            return;
        string advice = PageLocked.Count == 0 ? "a shorter context needs less, and so do token embeddings in host memory" : "a shorter context needs less";
        throw new CudaUnavailableException(
            CudaUnavailableReason.NotEnoughMemory,
            $"{Model} with a context of {ContextLength} tokens needs {Mebibytes(TotalBytes)} of device memory ({Items(Allocated.Items.Prepend(Weights))}), "
            + $"{Mebibytes(free)} of {Mebibytes(total)} are free on {gpu.DeviceName}; {advice}");
    }

    /// <exception cref="EngineException">The machine has less memory than is to be allocated; the message has the numbers.</exception>
    internal void RequireFit()
    {
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (Allocated.TotalBytes <= available)
            return;
        throw new EngineException($"{Model} with a context of {ContextLength} tokens needs {Mebibytes(Allocated.TotalBytes)} beside its weights ({Items(Allocated.Items)}), this machine has {Mebibytes(available)}; a shorter context needs less");
    }

    private static EngineSizes Sizes(int? contextLength, ModelConfig config, CacheFormat cache, DeviceKind device) =>
        EngineSizes.Resolve(new EngineLimits { Context = contextLength }, config, cache, device);

    private static ModelMemoryPlan For(string name, ModelConfig config, WeightFacts facts, EngineSizes sizes, int threads, CacheFormat cache)
    {
        ExecutionPlan[] plans = [.. new ModelGraphs(config, facts, sizes.ContextLength, sizes.StepTokens, sizes.Sequences).Largest.Select(graph => CpuBackend.PlanFor(graph.Build(), threads))];
        KeyValueLayout layout = ModelRunner.CacheLayout(config, cache);
        var budget = new MemoryBudget(
        [
            .. facts.QuantizedBytes > 0 ? [new MemoryItem("weights that are quantised while loading", facts.QuantizedBytes)] : Array.Empty<MemoryItem>(),
            ModelRunner.CacheMemory(layout, sizes),
            MemoryItem.Arena(plans),
            ModelRunner.PictureMemory(config, sizes),
            new MemoryItem("inputs of the three graphs", plans.Sum(plan => plan.Graph.InputBytes())),
        ]);
        return new ModelMemoryPlan(name, sizes.ContextLength, new MemoryItem("weights", facts.TotalBytes - facts.QuantizedBytes), budget)
        {
            Plans = plans,
            Growth = ModelRunner.Growth(config, layout, sizes),
        };
    }

    private static string Items(IEnumerable<MemoryItem> items) => string.Join(", ", items.Select(item => $"{item.Name}: {Mebibytes(item.Bytes)}"));

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:n0} MiB");
}

/// <summary>The context that is used: the wanted one, else the model's own.</summary>
internal static class ContextLengths
{
    // An article as long as the longest prompt, with its pictures and their candidates, fits four times that; only what is used takes memory.
    private const int AnswersPerPrompt = 4;

    /// <exception cref="EngineException">The wanted one is not positive, or beyond the model's positions.</exception>
    public static int Resolve(int? wanted, ModelConfig config)
    {
        int most = config.Decoder.MaximumPositions;
        EngineException.ThrowUnless(wanted is null || (wanted >= 1 && wanted <= most), "context", $"1 to {most} tokens, the positions that the model was made for", wanted);
        return wanted ?? (int)Math.Clamp(AnswersPerPrompt * (long)config.ContextLength, 1, most);
    }
}

/// <summary>Presets as users name them.</summary>
internal static class Presets
{
    /// <exception cref="EngineException">No preset has this name.</exception>
    public static ModelConfig Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return ModelPresets.Names.Contains(name)
            ? ModelPresets.Find(name)
            : throw new EngineException($"preset: expected one of {string.Join(", ", ModelPresets.Names)}, found '{name}'");
    }
}

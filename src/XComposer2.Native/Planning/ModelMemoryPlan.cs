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
    internal const string ConvertedWeights = "weights converted while loading";

    private const long MostReserveBytes = 64L << 20, ReservePart = 64;

    /// <summary>The processor, or a GPU.</summary>
    public DeviceKind Device { get; init; } = DeviceKind.Cpu;

    /// <summary>Page-locked host memory for a GPU; not part of <see cref="TotalBytes"/>.</summary>
    public IReadOnlyList<MemoryItem> PageLocked { get; init; } = [];

    /// <summary>What may be allocated later, with use: the cache of long sequences, rows of their pictures. Not part of <see cref="TotalBytes"/>.</summary>
    public IReadOnlyList<MemoryItem> Growth { get; init; } = [];

    /// <summary>Host memory allocated while a GPU is loaded, except page-locked memory; not part of <see cref="TotalBytes"/>.</summary>
    public IReadOnlyList<MemoryItem> Host { get; init; } = [];

    /// <summary>Weights and allocations.</summary>
    /// <exception cref="OverflowException">The sum exceeds 63 bits.</exception>
    public long TotalBytes => checked(Weights.Bytes + Allocated.TotalBytes);

    /// <summary>Device memory that no allocation takes: code of kernels, captured graphs, and what allocations are rounded up by. On a GPU that has a context already.</summary>
    internal long ReserveBytes => Device == DeviceKind.Cuda ? Math.Min(MostReserveBytes, TotalBytes / ReservePart) : 0;

    /// <summary>The largest plan of each graph: vision of one picture, prefill, decode.</summary>
    internal IReadOnlyList<ExecutionPlan> Plans { get; init; } = [];

    /// <summary>Memory use of a checkpoint on the CPU.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="contextLength">In tokens; null for the checkpoint's own.</param>
    /// <param name="threads">CPU threads; null for one per processor.</param>
    /// <param name="quantization">What is quantised while loading.</param>
    /// <param name="options">Adapters, and how the files will be read, which are only mapped here; null for the defaults.</param>
    /// <param name="cache">Format of keys and values; null for F32.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The context or the number of threads is out of range.</exception>
    public static ModelMemoryPlan ForCheckpoint(
        string path, int? contextLength = null, int? threads = null, WeightQuantization quantization = default, CheckpointOptions? options = null, CacheFormat? cache = null)
    {
        options ??= new CheckpointOptions();
        using LoadedModel model = LoadedModel.Open(path, new DeviceOptions { Kind = DeviceKind.Cpu, Threads = threads, Cache = cache }, quantization, options: options with { Loading = WeightLoading.Mapped });
        return For(model, Sizes(contextLength, model.Config, model.Backend.CacheFormat, DeviceKind.Cpu), EmbeddingPlace.Device, options.Loading);
    }

    /// <summary>Memory use of a published model on the CPU, without its weights.</summary>
    /// <param name="preset">One of <see cref="ModelPresets.Names"/>.</param>
    /// <param name="contextLength">In tokens; null for the model's own.</param>
    /// <param name="threads">CPU threads; null for one per processor.</param>
    /// <param name="weights">Type of all weights, as stored.</param>
    /// <param name="quantization">What is quantised while loading.</param>
    /// <param name="cache">Format of keys and values; null for F32.</param>
    /// <exception cref="EngineException">No preset has this name, or the context is out of range.</exception>
    public static ModelMemoryPlan ForPreset(
        string preset, int? contextLength = null, int? threads = null, DType weights = DType.BF16, WeightQuantization quantization = default, CacheFormat? cache = null)
    {
        ModelConfig config = Presets.Find(preset);
        return For(preset + Quantizations.Describe(quantization), config, WeightFacts.Uniform(config, weights, quantization), Sizes(contextLength, config, cache ?? CacheFormat.F32, DeviceKind.Cpu), threads ?? Environment.ProcessorCount, cache ?? CacheFormat.F32, roundsActivations: true);
    }

    /// <summary>Memory use of a checkpoint on a GPU. No GPU is required.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="contextLength">In tokens; null for the checkpoint's own.</param>
    /// <param name="device">Storage type and place of the embeddings.</param>
    /// <param name="quantization">What is quantised while loading.</param>
    /// <param name="options">Adapters, and how the files will be read, which are only mapped here; null for the defaults.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The context is out of range.</exception>
    public static ModelMemoryPlan ForCheckpointOnCuda(
        string path, int? contextLength, DeviceOptions device, WeightQuantization quantization = default, CheckpointOptions? options = null)
    {
        return ForCheckpointOnCuda(path, new EngineLimits { Context = contextLength }, device, quantization, options);
    }

    /// <inheritdoc cref="ForCheckpointOnCuda(string, int?, DeviceOptions, WeightQuantization, CheckpointOptions?)"/>
    internal static ModelMemoryPlan ForCheckpointOnCuda(string path, EngineLimits limits, DeviceOptions device, WeightQuantization quantization, CheckpointOptions? options)
    {
        ArgumentNullException.ThrowIfNull(device);
        options ??= new CheckpointOptions();
        using LoadedModel model = LoadedModel.Open(path, new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 1 }, quantization, options: options with { Loading = WeightLoading.Mapped });
        DType storage = device.Storage ?? Backends.PreferredStorage(model.Config.StoredType);
        EngineSizes sizes = EngineSizes.Resolve(limits, model.Config, device.Cache ?? CacheFormat.Of(storage), DeviceKind.Cuda);
        return CudaMemoryPlan.For(model.Description, model.Config, WeightFacts.Of(model.Weights, model.Config), sizes, storage, device.Cache ?? CacheFormat.Of(storage), device.Embeddings).WithFiles(model.Checkpoint, options.Loading);
    }

    /// <summary>Memory use of a published model on a GPU, without its weights. No GPU is required.</summary>
    /// <param name="preset">One of <see cref="ModelPresets.Names"/>.</param>
    /// <param name="contextLength">In tokens; null for the model's own.</param>
    /// <param name="device">Storage type and place of the embeddings.</param>
    /// <param name="quantization">What is quantised while loading.</param>
    /// <exception cref="EngineException">No preset has this name, or the context is out of range.</exception>
    public static ModelMemoryPlan ForPresetOnCuda(string preset, int? contextLength, DeviceOptions device, WeightQuantization quantization = default) =>
        ForPresetOnCuda(preset, new EngineLimits { Context = contextLength }, device, quantization);

    /// <inheritdoc cref="ForPresetOnCuda(string, int?, DeviceOptions, WeightQuantization)"/>
    internal static ModelMemoryPlan ForPresetOnCuda(string preset, EngineLimits limits, DeviceOptions device, WeightQuantization quantization)
    {
        ArgumentNullException.ThrowIfNull(device);
        ModelConfig config = Presets.Find(preset);
        DType storage = device.Storage ?? DType.BF16;
        return CudaMemoryPlan.For(preset + Quantizations.Describe(quantization), config, WeightFacts.Uniform(config, storage, quantization), EngineSizes.Resolve(limits, config, device.Cache ?? CacheFormat.Of(storage), DeviceKind.Cuda), storage, device.Cache ?? CacheFormat.Of(storage), device.Embeddings);
    }

    internal static ModelMemoryPlan For(LoadedModel model, EngineSizes sizes, EmbeddingPlace embeddings) => For(model, sizes, embeddings, model.Checkpoint.Loading);

    /// <summary>Refuses what does not fit, with the numbers.</summary>
    /// <exception cref="EngineException">The machine has less memory than is to be allocated in it.</exception>
    /// <exception cref="CudaUnavailableException">The GPU has less memory free than is to be allocated.</exception>
    internal void RequireFit(IBackend backend)
    {
        if (backend is not CudaBackend gpu)
        {
            RequireHost(Allocated.Items, "beside its weights", "a shorter context needs less");
            return;
        }

        RequireHost([.. PageLocked, .. Host], "of the machine's memory beside the GPU", "token embeddings on the GPU and mapped weights need less");
        (long free, long total) = gpu.ReadMemory();
        long needed = TotalBytes + ReserveBytes;
        if (needed <= free)
            return;
        string advice = PageLocked.Count == 0 ? "a shorter context needs less, and so do token embeddings in host memory" : "a shorter context needs less";
        throw new CudaUnavailableException(
            CudaUnavailableReason.NotEnoughMemory,
            $"{Model} with a context of {ContextLength} tokens needs {Mebibytes(needed)} of device memory ({Items([Weights, .. Allocated.Items, new MemoryItem("kernels and captured graphs", ReserveBytes)])}), "
            + $"{Mebibytes(free)} of {Mebibytes(total)} are free on {gpu.DeviceName}; {advice}");
    }

    private void RequireHost(IReadOnlyList<MemoryItem> items, string what, string advice)
    {
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        long needed = items.Aggregate(0L, (sum, item) => checked(sum + item.Bytes));
        if (needed > available)
            throw new EngineException($"{Model} with a context of {ContextLength} tokens needs {Mebibytes(needed)} {what} ({Items(items)}), this machine has {Mebibytes(available)}; {advice}");
    }

    /// <summary>Of weights from anywhere.</summary>
    internal static ModelMemoryPlan For(string name, ModelConfig config, WeightFacts facts, EngineSizes sizes, IBackend backend, EmbeddingPlace embeddings) => backend is CpuBackend processor
        ? For(name, config, facts, sizes, processor.Threads, processor.CacheFormat, processor.RoundsActivations)
        : CudaMemoryPlan.For(name, config, facts, sizes, ((CudaBackend)backend).Storage, backend.CacheFormat, embeddings);

    private static ModelMemoryPlan For(LoadedModel model, EngineSizes sizes, EmbeddingPlace embeddings, WeightLoading loading) =>
        For(model.Description, model.Config, WeightFacts.Of(model.Weights, model.Config), sizes, model.Backend, embeddings).WithFiles(model.Checkpoint, loading);

    private ModelMemoryPlan WithFiles(Checkpoint checkpoint, WeightLoading loading)
    {
        if (loading == WeightLoading.Mapped)
            return this;
        MemoryItem files = new("weight files, read into memory", checkpoint.FileBytes);
        return Device == DeviceKind.Cuda
            ? this with { Host = [files, .. Host] }
            : this with { Weights = Weights with { Bytes = 0 }, Allocated = new MemoryBudget([files, .. Allocated.Items]) };
    }

    private static EngineSizes Sizes(int? contextLength, ModelConfig config, CacheFormat cache, DeviceKind device) =>
        EngineSizes.Resolve(new EngineLimits { Context = contextLength }, config, cache, device);

    private static ModelMemoryPlan For(string name, ModelConfig config, WeightFacts facts, EngineSizes sizes, int threads, CacheFormat cache, bool roundsActivations)
    {
        ExecutionPlan[] plans = [.. new ModelGraphs(config, facts, sizes.ContextLength, sizes.StepTokens, sizes.Sequences).Largest.Select(graph => CpuBackend.PlanFor(graph.Build(), threads))];
        KeyValueLayout layout = ModelRunner.CacheLayout(config, cache);
        long integerBytes = facts.Integers.Sum(weight => CpuBackend.IntegerBytes(weight.Format, weight.Shape, roundsActivations));
        var budget = new MemoryBudget(
        [
            .. integerBytes > 0 ? [new MemoryItem("weights that are quantised while loading", integerBytes)] : Array.Empty<MemoryItem>(),
            .. facts.ConvertedBytes > 0 ? [new MemoryItem(ConvertedWeights, facts.ConvertedBytes)] : Array.Empty<MemoryItem>(),
            ModelRunner.CacheMemory(layout, sizes),
            MemoryItem.Arena(plans),
            ModelRunner.PictureMemory(config, sizes),
            new MemoryItem("inputs of the three graphs", plans.Sum(plan => plan.Graph.InputBytes())),
            RotaryTable(sizes, layout.Geometry),
        ]);
        return new ModelMemoryPlan(name, sizes.ContextLength, new MemoryItem("weights", facts.TotalBytes - facts.QuantizedBytes - facts.ConvertedBytes), budget)
        {
            Plans = plans,
            Growth = ModelRunner.Growth(config, layout, sizes),
        };
    }

    /// <summary>At most: on the processor, its blocks are made when a sequence reaches them.</summary>
    internal static MemoryItem RotaryTable(EngineSizes sizes, AttentionGeometry geometry) => new("rotary table", RopeTable.Bytes(sizes.ContextLength, geometry.HeadSize));

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

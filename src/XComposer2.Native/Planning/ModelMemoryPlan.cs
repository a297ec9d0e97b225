using System.Globalization;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>What a model will take on the processor, item by item, known before anything is allocated.</summary>
/// <param name="Model">The checkpoint or preset in words.</param>
/// <param name="ContextLength">Longest sequence in tokens.</param>
/// <param name="Weights">Weights; those of a checkpoint lie in mapped files, which the system may drop and read again.</param>
/// <param name="Allocated">Everything that is allocated: quantised weights, cache, arena, inputs.</param>
/// <param name="Plans">The largest plan of each graph: vision of one picture, prefill, decode.</param>
public sealed record ModelMemoryPlan(string Model, int ContextLength, MemoryItem Weights, MemoryBudget Allocated, IReadOnlyList<ExecutionPlan> Plans)
{
    /// <summary>Weights and all that is allocated.</summary>
    public long TotalBytes => checked(Weights.Bytes + Allocated.TotalBytes);

    /// <summary>Of a checkpoint folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="contextLength">Tokens; null for the checkpoint's own.</param>
    /// <param name="threads">CPU threads; null for one per processor.</param>
    /// <param name="quantization">What is done to the decoder's linears.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The context or the number of threads is out of range.</exception>
    public static ModelMemoryPlan ForCheckpoint(
        string path, int? contextLength = null, int? threads = null, WeightQuantization quantization = WeightQuantization.None)
    {
        using LoadedModel model = LoadedModel.Open(path, new DeviceOptions { Kind = DeviceKind.Cpu, Threads = threads }, quantization);
        return For(model, ContextLengths.Resolve(contextLength, model.Config));
    }

    /// <summary>Of a published model, without its weights.</summary>
    /// <param name="preset">One of <see cref="ModelPresets.Names"/>.</param>
    /// <param name="contextLength">Tokens; null for the model's own.</param>
    /// <param name="threads">CPU threads; null for one per processor.</param>
    /// <param name="weights">Type of all weights, as stored.</param>
    /// <param name="quantization">What is done to the decoder's linears.</param>
    /// <exception cref="EngineException">No preset has this name, or the context is out of range.</exception>
    public static ModelMemoryPlan ForPreset(
        string preset, int? contextLength = null, int? threads = null, DType weights = DType.BF16, WeightQuantization quantization = WeightQuantization.None)
    {
        ModelConfig config = Presets.Find(preset);
        return For(preset + QuantizedWeights.Describe(quantization), config, WeightFacts.Uniform(config, weights, quantization), ContextLengths.Resolve(contextLength, config), threads ?? Environment.ProcessorCount);
    }

    internal static ModelMemoryPlan For(LoadedModel model, int contextLength) =>
        For(model.Description, model.Config, WeightFacts.Of(model.Weights, model.Config), contextLength, ((CpuBackend)model.Backend).Threads);

    /// <exception cref="EngineException">The machine has less memory than is to be allocated; the message has the numbers.</exception>
    internal void RequireFit()
    {
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (Allocated.TotalBytes <= available)
            return;
        string items = string.Join(", ", Allocated.Items.Select(item => $"{item.Name}: {Mebibytes(item.Bytes)}"));
        throw new EngineException($"{Model} with a context of {ContextLength} tokens needs {Mebibytes(Allocated.TotalBytes)} beside its weights ({items}), this machine has {Mebibytes(available)}; a shorter context needs less");
    }

    private static ModelMemoryPlan For(string name, ModelConfig config, WeightFacts facts, int contextLength, int threads)
    {
        int prefillTokens = Math.Min(contextLength, ModelRunner.PrefillStepTokens);
        ExecutionPlan[] plans =
        [
            CpuBackend.PlanFor(VisionNetwork.Build(config, facts, images: 1), threads),
            CpuBackend.PlanFor(DecoderNetwork.BuildPrefill(config.Decoder, facts, prefillTokens, logits: 1), threads),
            CpuBackend.PlanFor(DecoderNetwork.BuildDecode(config.Decoder, facts, sequences: 1), threads),
        ];
        KeyValueLayout layout = ModelRunner.CacheLayout(config, DType.F32);
        var budget = new MemoryBudget(
        [
            .. facts.QuantizedBytes > 0 ? [new MemoryItem("weights that are quantised while loading", facts.QuantizedBytes)] : Array.Empty<MemoryItem>(),
            MemoryItem.KeyValueCache(layout.Geometry, layout.Layers, (long)ModelRunner.CachePages(contextLength) * KeyValuePages.TokensPerPage, layout.Type),
            MemoryItem.Arena(plans),
            new MemoryItem("inputs of the three graphs", plans.Sum(plan => InputBytes(plan.Graph))),
        ]);
        return new ModelMemoryPlan(name, contextLength, new MemoryItem("weights", facts.TotalBytes - facts.QuantizedBytes), budget, plans);
    }

    private static long InputBytes(ComputeGraph graph) =>
        graph.Tensors.Where(tensor => tensor.Role == TensorRole.Input).Sum(tensor => tensor.CapacityBytes);

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:n0} MiB");
}

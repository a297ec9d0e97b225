using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Planning;

/// <summary>The kernels that a model's graphs take on a GPU, from its sizes alone.</summary>
internal static class ModelCatalog
{
    /// <summary>Those of every graph of <see cref="ModelGraphs"/>, for any card of a generation, and those that measure the device.</summary>
    /// <param name="config">The model.</param>
    /// <param name="storage">Type of weights and activations.</param>
    /// <param name="capability">The generation.</param>
    /// <param name="quantization">What is quantised while loading.</param>
    public static IReadOnlyList<KernelDefinition> KernelsOf(
        ModelConfig config, DType storage, ComputeCapability capability, WeightQuantization quantization = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        ModelConfig thin = Thin(config);
        var graphs = new ModelGraphs(thin, WeightFacts.Uniform(thin, storage, quantization), config.Decoder.MaximumPositions, decodeSequences: [1, LinearDecode.MaxRows]);
        return KernelCatalog.For(graphs.All.Select(graph => graph.Build()), config.Decoder.VocabularySize, storage, capability);
    }

    /// <summary>Those that train the model: everything, and adapters with dropout over weights that are frozen in the storage type; and those that score it.</summary>
    /// <param name="config">The model.</param>
    /// <param name="storage">BF16, or F32 for tests.</param>
    /// <param name="capability">The generation.</param>
    /// <param name="quantization">Of frozen weights.</param>
    public static IReadOnlyList<KernelDefinition> TrainingKernelsOf(
        ModelConfig config, DType storage, ComputeCapability capability, WeightQuantization quantization = default)
    {
        const string Adapter = "adapter ";
        const int Rank = 64, Logits = 256;
        ArgumentNullException.ThrowIfNull(config);
        ModelConfig thin = Thin(config);
        var capacity = new RowCounts(config.ContextLength, Logits, 1);
        WeightFacts trained = WeightFacts.Uniform(thin, DType.F32), frozen = WeightFacts.Uniform(thin, storage, quantization);
        TrainedParts everything = new() { IsTrained = static _ => true };
        TrainedParts adapters = new()
        {
            IsTrained = static name => name.StartsWith(Adapter, StringComparison.Ordinal),
            AdapterOf = static weight => weight.StartsWith("model.layers.", StringComparison.Ordinal) ? new LowRankAdapter($"{Adapter}a {weight}", $"{Adapter}b {weight}", Rank, 1, 0.05f) : null,
        };
        return KernelCatalog.ForTraining(
            [TrainingNetwork.Build(thin, trained, capacity, everything).Graph, TrainingNetwork.Build(thin, frozen, capacity, adapters).Graph, TrainingNetwork.BuildScoring(thin, frozen, capacity, adapters).Graph],
            storage, capability);
    }

    // Layers of a kind are alike: the kernels of one are those of all.
    private static ModelConfig Thin(ModelConfig config)
    {
        ModelConfig thin = config.WithLayers(1);
        return thin with { Vision = thin.Vision with { LayerCount = 1 } };
    }
}

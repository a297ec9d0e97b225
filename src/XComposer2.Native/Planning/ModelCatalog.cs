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
        // Layers of a kind are alike: the kernels of one are those of all.
        ModelConfig thin = config.WithLayers(1);
        thin = thin with { Vision = thin.Vision with { LayerCount = 1 } };
        var graphs = new ModelGraphs(thin, WeightFacts.Uniform(thin, storage, quantization), config.Decoder.MaximumPositions, decodeSequences: [1, LinearDecode.MaxRows]);
        return KernelCatalog.For(graphs.All.Select(graph => graph.Build()), config.Decoder.VocabularySize, storage, capability);
    }
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The kernels that a model's graphs run on any card of a generation, and those that measure the device: what is compiled ahead of time, and what the
/// tests compile.</summary>
public static class KernelCatalog
{
    /// <summary>Those with a form for the generation, each once, in a fixed order.</summary>
    /// <param name="graphs">Every graph of the model, as the model builds it.</param>
    /// <param name="vocabularySize">Of the model, for the choice of a token.</param>
    /// <param name="storage">Type of weights and 16-bit activations.</param>
    /// <param name="capability">The generation, which decides tiles.</param>
    public static IReadOnlyList<KernelDefinition> For(IEnumerable<ComputeGraph> graphs, int vocabularySize, DType storage, ComputeCapability capability)
    {
        ArgumentNullException.ThrowIfNull(graphs);
        List<KernelDefinition> all = [];
        foreach (ComputeGraph graph in graphs)
        {
            // Which cache and which sums it will be is not known ahead of time.
            foreach (CacheFormat cache in (CacheFormat[])[CacheFormat.Of(storage), CacheFormat.Int8])
                foreach (bool hasHalfSums in (bool[])[false, true])
                    if (DeviceCaches.Has(cache, storage) && (!hasHalfSums || (HalfSums.Has(capability) && storage == DType.F16)))
                    {
                        ComputeGraph lowered = CudaLowering.Lower(graph, storage, cache, hasHalfSums);
                        all.AddRange(lowered.Operations.SelectMany(operation => KernelChoice.Candidates(operation, lowered, capability)));
                    }
        }

        all.AddRange([new SampleToken(vocabularySize), new TokenLogProbs(vocabularySize), new RankTokens(vocabularySize)]);
        all.AddRange(Measurement(storage));
        return [.. all.Where(definition => definition.Serves(capability)).Distinct()];
    }

    /// <summary>The kernels that train: of graphs with gradients, and the optimiser's. Those with a form for the generation, each once, in a fixed order.</summary>
    /// <param name="graphs">As <see cref="TrainingGraph"/> and <see cref="ScoringGraph"/> have them.</param>
    /// <param name="storage">BF16, or F32 for tests.</param>
    /// <param name="capability">The generation.</param>
    public static IReadOnlyList<KernelDefinition> ForTraining(IEnumerable<ComputeGraph> graphs, DType storage, ComputeCapability capability)
    {
        ArgumentNullException.ThrowIfNull(graphs);
        List<KernelDefinition> all = [new AdamW(), new SumOfSquares()];
        foreach (ComputeGraph graph in graphs)
        {
            ComputeGraph lowered = TrainingLowering.Lower(graph, storage);
            all.AddRange(lowered.Operations.SelectMany(operation => KernelChoice.Candidates(operation, lowered, capability)));
        }

        return [.. all.Where(definition => definition.Serves(capability)).Distinct()];
    }

    /// <summary>The kernels that measure the limits of a device (<see cref="KernelBenchmark"/>).</summary>
    public static IEnumerable<KernelDefinition> Measurement(DType storage) => [new ReadStream(), new MmaRate(storage)];
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Planning;

/// <summary>Plans what a model will take on a GPU, from sizes alone: no GPU is needed.</summary>
internal static class CudaMemoryPlan
{
    /// <param name="name">The checkpoint or preset in words.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="facts">Shapes of weights.</param>
    /// <param name="sizes">Most of everything.</param>
    /// <param name="storage">Type of weights and activations.</param>
    /// <param name="cache">Of keys and values.</param>
    /// <param name="embeddings">Where the embedding table lies.</param>
    public static ModelMemoryPlan For(string name, ModelConfig config, WeightFacts facts, EngineSizes sizes, DType storage, CacheFormat cache, EmbeddingPlace embeddings)
    {
        // Every graph keeps its inputs; the arena is that of the largest plan.
        var graphs = new ModelGraphs(config, facts, sizes.ContextLength, sizes.StepTokens, sizes.Sequences);
        ComputeGraph[] largest = [.. graphs.Largest.Select(graph => graph.Build())];
        ExecutionPlan[] plans = [.. largest.Select(graph => CudaBackend.PlanFor(graph, storage, cache))];
        (WeightFormat format, Shape shape) = facts.Embeddings;
        DType tableType = format.IsFloat ? storage : format.Elements;
        long table = tableType.Bytes(shape.ElementCount);
        bool isOnHost = embeddings == EmbeddingPlace.Host;
        long weights = WeightBytes(largest, storage) - (isOnHost ? table : 0);
        KeyValueLayout layout = ModelRunner.CacheLayout(config, cache);
        var budget = new MemoryBudget(
        [
            ModelRunner.CacheMemory(layout, sizes),
            MemoryItem.Arena(plans),
            new MemoryItem("inputs of all graphs", graphs.All.Sum(graph => graph.Build().InputBytes())),
            ModelRunner.PictureMemory(config, sizes),
            ModelMemoryPlan.RotaryTable(sizes, layout.Geometry),
            new MemoryItem("scratch of decode attention", DecodeScratchBytes(layout.Geometry, sizes, storage)),
            new MemoryItem("sampling", CudaBackend.SamplerBytes(config.Decoder.VocabularySize, sizes.Sequences)),
            new MemoryItem("rounding of cache and rows to 2 MiB", RoundingBytes(config, layout, sizes)),
        ]);
        return new ModelMemoryPlan(name, sizes.ContextLength, new MemoryItem($"weights, {storage}", weights), budget)
        {
            Plans = plans,
            Device = DeviceKind.Cuda,
            Growth = ModelRunner.Growth(config, layout, sizes),
            // Gate and up, and others that are uploaded as one, are there together.
            Host = facts.LargestConvertedBytes > 0 ? [new MemoryItem("two converted weights at a time", 2 * facts.LargestConvertedBytes)] : [],
            PageLocked = isOnHost ? [new MemoryItem($"token embeddings, {tableType}, in page-locked host memory", table)] : [],
        };
    }

    // What grows with use is mapped in granules.
    private static long RoundingBytes(ModelConfig config, KeyValueLayout layout, EngineSizes sizes)
    {
        long picture = (long)config.TokensPerImage * config.Decoder.HiddenSize * sizeof(float);
        return Rounding(sizes.FirstPages * layout.PageBytes, sizes.CachePages * layout.PageBytes) + Rounding(sizes.KeptPictures * picture, sizes.Pictures * picture);

        static long Rounding(long bytes, long most) => GrowingDeviceMemory.MappedBytesFor(bytes, most) - bytes;
    }

    // Of the largest card there is: how many runs of pages a sequence has depends on the card.
    private static long DecodeScratchBytes(AttentionGeometry heads, EngineSizes sizes, DType storage)
    {
        const int MostMultiprocessors = 192;
        DecodeAttention kernel = new(storage, heads);
        return kernel.Scratch(sizes.Sequences, kernel.ChooseRuns(MostMultiprocessors, 1, sizes.PagesPerSequence)).TotalBytes;
    }

    // Each name once: graphs share what both use.
    private static long WeightBytes(IEnumerable<ComputeGraph> graphs, DType storage)
    {
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (ComputeGraph graph in graphs)
        {
            // Parts of integer formats are on the device as they are.
            HashSet<Tensor> kept = [.. graph.Operations.SelectMany(operation => operation.LinearWeights).Where(weight => !weight.Format.IsFloat).SelectMany(weight => weight.Parts)];
            for (int i = 0; i < graph.Tensors.Length; i++)
                if (graph.Tensors[i] is { Role: TensorRole.Weight } tensor)
                    bytes[tensor.Name] = kept.Contains(new Tensor(i)) ? tensor.CapacityBytes : storage.Bytes(tensor.Shape.ElementCount);
            foreach (PatchEmbeddingOp patches in graph.Operations.OfType<PatchEmbeddingOp>())
                foreach (TensorSpec added in new[] { graph[patches.ClassToken], graph[patches.Positions] })
                    bytes[added.Name] = added.Shape.ElementCount * sizeof(float);
        }

        return bytes.Values.Sum();
    }
}

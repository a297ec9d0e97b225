using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>The kernels that a model of given sizes runs, in every specialisation: what is compiled ahead of time, and what the tests compile. A kernel that is
/// not listed here still runs, compiled when it is first needed.</summary>
public static class KernelCatalog
{
    /// <summary>Those with a form for the generation, each once, in a fixed order.</summary>
    /// <param name="sizes">The model's.</param>
    /// <param name="storage">Type of weights and 16-bit activations.</param>
    /// <param name="capability">The generation, which decides tiles.</param>
    public static IReadOnlyList<KernelDefinition> For(KernelSizes sizes, KernelStorage storage, ComputeCapability capability)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        IEnumerable<KernelDefinition> all = [.. Vision(sizes, storage), .. Decoding(sizes), .. Quantization(sizes, storage)];
        return [.. all.Where(definition => definition.Serves(capability)).Distinct()];
    }

    private static IEnumerable<KernelDefinition> Vision(KernelSizes sizes, KernelStorage storage) =>
        [new PatchEmbedding(storage, sizes.ImageSize, sizes.PatchSize, sizes.VisionWidth)];

    private static IEnumerable<KernelDefinition> Decoding(KernelSizes sizes) => [new SampleToken(sizes.VocabularySize), new AdvanceStep()];

    private static IEnumerable<KernelDefinition> Quantization(KernelSizes sizes, KernelStorage storage)
    {
        int[] columns =
        [
            sizes.HiddenSize, sizes.Attention.QueryColumns, sizes.IntermediateSize, sizes.LoraRank,
            sizes.VisionWidth, sizes.VisionIntermediateSize, sizes.ProjectorInputSize,
        ];
        foreach (int width in columns.Where(width => width > 0).Distinct())
        {
            yield return new QuantizeInt8(storage, width);
            yield return new DequantizeInt8(storage, width);
        }
    }
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The kernels that a model of given sizes runs, in every specialisation, and those that measure the device: what is compiled ahead of time, and what
/// the tests compile. A kernel that is not listed here still runs, compiled when it is first needed.</summary>
public static class KernelCatalog
{
    /// <summary>Those with a form for the generation, each once, in a fixed order.</summary>
    /// <param name="sizes">The model's.</param>
    /// <param name="storage">Type of weights and 16-bit activations.</param>
    /// <param name="capability">The generation, which decides tiles.</param>
    /// <param name="weights">Of the decoder's linears; Partial LoRA and the head are always of the storage type.</param>
    public static IReadOnlyList<KernelDefinition> For(KernelSizes sizes, KernelStorage storage, ComputeCapability capability, WeightFormat weights = WeightFormat.Storage)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        IEnumerable<KernelDefinition> all =
            [.. Vision(sizes, storage, capability), .. Decoder(sizes, storage, capability, weights), .. Quantization(sizes, storage), .. Measurement(storage)];
        return [.. all.Where(definition => definition.Serves(capability)).Distinct()];
    }

    private static IEnumerable<KernelDefinition> Vision(KernelSizes sizes, KernelStorage storage, ComputeCapability capability)
    {
        int headSize = sizes.VisionWidth / sizes.VisionHeads;
        return
        [
            new PatchEmbedding(storage, sizes.ImageSize, sizes.PatchSize, sizes.VisionWidth),
            new LayerNorm(storage, KernelStorage.F32, sizes.VisionWidth),
            new LayerNorm(storage, storage, sizes.VisionWidth),
            new VisionAttention(storage, sizes.VisionHeads, headSize, sizes.VisionWidth, FlashTile.ChooseKeys(capability, headSize)),
            new SelectPatches(storage, sizes.VisionWidth),
            .. LinearCatalog.Vision(sizes, storage, capability),
        ];
    }

    private static IEnumerable<KernelDefinition> Decoder(KernelSizes sizes, KernelStorage storage, ComputeCapability capability, WeightFormat weights) =>
    [
        new EmbedTokens(storage, sizes.HiddenSize),
        new RmsNorm(storage, storage, sizes.HiddenSize),
        new SelectRows(KernelStorage.F32, sizes.HiddenSize),
        .. LinearCatalog.Decoder(sizes, storage, capability, weights),
        new PrefillAttention(storage, sizes.Attention, FlashTile.ChooseKeys(capability, sizes.Attention.HeadSize)),
        new DecodeAttention(storage, sizes.Attention),
        new SampleToken(sizes.VocabularySize),
        new TokenLogProbs(sizes.VocabularySize),
        new AdvanceStep(),
    ];

    private static IEnumerable<KernelDefinition> Quantization(KernelSizes sizes, KernelStorage storage) =>
        [new QuantizeInt8(storage, sizes.HiddenSize), new DequantizeInt8(storage, sizes.HiddenSize)];

    private static IEnumerable<KernelDefinition> Measurement(KernelStorage storage) => [new ReadStream(), new MmaRate(storage)];
}

/// <summary>The sizes of a model that kernels are specialised to.</summary>
public sealed record KernelSizes
{
    public required int VocabularySize { get; init; }

    /// <summary>Width of the decoder's residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Of the decoder's feed-forward layers.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Heads of the decoder.</summary>
    public required AttentionGeometry Attention { get; init; }

    /// <summary>Rank of Partial LoRA; 0: there is none.</summary>
    public required int LoraRank { get; init; }

    /// <summary>Pixels of a picture's side.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Pixels of a patch's side.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Width of the picture encoder.</summary>
    public required int VisionWidth { get; init; }

    /// <summary>Of the encoder's feed-forward layers.</summary>
    public required int VisionIntermediateSize { get; init; }

    /// <summary>Heads of the encoder.</summary>
    public required int VisionHeads { get; init; }

    /// <summary>Columns of the projector's input.</summary>
    public required int ProjectorInputSize { get; init; }
}

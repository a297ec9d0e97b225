using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The linears of a model, in every specialisation that its graphs bind.</summary>
internal static class LinearCatalog
{
    /// <summary>Rows of prefill steps whose tiles are listed: a short turn, a long one, and a picture with its question.</summary>
    private static readonly int[] prefillRows = [64, 512, 2048];

    public static IEnumerable<KernelDefinition> Vision(KernelSizes sizes, KernelStorage storage, ComputeCapability capability)
    {
        int width = sizes.VisionWidth, wide = sizes.VisionIntermediateSize;
        int patches = sizes.ImageSize / sizes.PatchSize * (sizes.ImageSize / sizes.PatchSize);
        LinearForm bias = new() { Storage = storage, InFeatures = width, OutFeatures = width, HasBias = true };
        LinearForm residual = bias with { HasResidual = true, StoresFloat = true };
        LinearForm projected = bias with { InFeatures = sizes.ProjectorInputSize, OutFeatures = sizes.HiddenSize };
        return
        [
            Prefill(bias, patches + 1, capability),
            Prefill(residual, patches + 1, capability),
            Prefill(bias with { OutFeatures = wide, Activation = Activation.QuickGelu }, patches + 1, capability),
            Prefill(residual with { InFeatures = wide }, patches + 1, capability),
            Prefill(projected with { Activation = Activation.Gelu }, patches, capability),
            Prefill(projected with { InFeatures = sizes.HiddenSize, StoresFloat = true }, patches, capability),
        ];
    }

    public static IEnumerable<KernelDefinition> Decoder(KernelSizes sizes, KernelStorage storage, ComputeCapability capability, WeightFormat weights)
    {
        LinearForm packed = new()
        {
            Storage = storage,
            Weights = weights,
            InFeatures = sizes.HiddenSize,
            OutFeatures = sizes.Attention.PackedColumns,
            Finish = LinearFinish.RopeKvAppend,
            Heads = sizes.Attention,
        };
        LinearForm output = new()
        {
            Storage = storage, Weights = weights, InFeatures = sizes.Attention.QueryColumns, OutFeatures = sizes.HiddenSize, HasResidual = true, StoresFloat = true,
        };
        LinearForm gated = new()
        {
            Storage = storage, Weights = weights, InFeatures = sizes.HiddenSize, OutFeatures = 2 * sizes.IntermediateSize, Finish = LinearFinish.Gated,
        };
        LinearForm down = output with { InFeatures = sizes.IntermediateSize };
        LinearForm head = new() { Storage = storage, InFeatures = sizes.HiddenSize, OutFeatures = sizes.VocabularySize, StoresFloat = true };
        LinearForm[] layer = [packed, output, gated, down];
        return
        [
            .. from rows in prefillRows from form in layer select Prefill(form, rows, capability, sizes.LoraRank),
            .. LowerLoras(sizes, storage, capability),
            .. LinearDecode.SizesFor(LinearDecode.MaxRows).SelectMany(rows => (LinearDecode[])
            [
                new(packed, hasNorm: true, rows), new(output, rows: rows), new(gated, hasNorm: true, rows), new(down, rows: rows), new(head, hasNorm: true, rows),
            ]),
            new LinearDecode(head),
        ];
    }

    private static IEnumerable<KernelDefinition> LowerLoras(KernelSizes sizes, KernelStorage storage, ComputeCapability capability)
    {
        if (sizes.LoraRank == 0)
            return [];
        PrefillTile tile = TileChooser.ChooseForLora(capability, storage);
        return
        [
            new LoraDown(storage, sizes.HiddenSize, sizes.LoraRank, tile),
            new LoraDown(storage, sizes.HiddenSize, 2 * sizes.LoraRank, tile),
            new LoraDown(storage, sizes.Attention.QueryColumns, sizes.LoraRank, tile),
            new LoraDown(storage, sizes.IntermediateSize, sizes.LoraRank, tile),
        ];
    }

    private static LinearPrefill Prefill(LinearForm form, int rows, ComputeCapability capability, int loraRank = 0) =>
        new(form, TileChooser.Choose(capability, TypicalMultiprocessors(capability), form.Storage, rows, form.OutFeatures, loraRank > 0), loraRank);

    /// <summary>Of the generation's best-known card: RTX 2080, A100, RTX 3070, RTX 4090, H100. Others may choose other tiles, which are compiled when needed.</summary>
    private static int TypicalMultiprocessors(ComputeCapability capability) => capability.Number switch
    {
        < 80 => 46,
        80 => 108,
        86 => 46,
        89 => 128,
        _ => 132,
    };
}

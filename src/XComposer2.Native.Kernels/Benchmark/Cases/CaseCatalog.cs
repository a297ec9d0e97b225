using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A case, or several, for every kernel that <see cref="KernelCatalog"/> lists for a model.</summary>
public static class CaseCatalog
{
    /// <summary>In the order of the kernels' catalog, each once.</summary>
    /// <param name="kernels">Of <see cref="KernelCatalog"/>.</param>
    /// <param name="device">What decides tiles and grids.</param>
    /// <param name="counts">How much work.</param>
    /// <exception cref="NotSupportedException">A kernel of the catalog has no case: it was forgotten here.</exception>
    public static IReadOnlyList<KernelCase> For(IReadOnlyList<KernelDefinition> kernels, DeviceFacts device, CaseSizes counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        CaseContext context = new(kernels, device, counts);
        // The catalog has linears once for each tile; the cases choose tiles themselves.
        return [.. kernels.SelectMany(definition => Of(definition, context)).DistinctBy(found => found.Name)];
    }

    private static IEnumerable<KernelCase> Of(KernelDefinition definition, CaseContext context) => definition switch
    {
        DecodeAttention kernel => AttentionCases.Of(kernel, context),
        EmbedTokens kernel => RowCases.Of(kernel, context),
        LayerNorm kernel => RowCases.Of(kernel, context),
        LinearDecode kernel => LinearDecodeCases.Of(kernel, context),
        LinearPrefill kernel => LinearPrefillCases.Of(kernel, context),
        LoraDown kernel => LinearPrefillCases.Of(kernel, context),
        MmaRate kernel => [ProbeCases.Of(kernel, context.Device, context.Counts)],
        PatchEmbedding kernel => RowCases.Of(kernel),
        PrefillAttention kernel => AttentionCases.Of(kernel, context),
        ReadStream kernel => [ProbeCases.Of(kernel, context.Device, context.Counts)],
        RmsNorm kernel => RowCases.Of(kernel, context),
        SampleToken kernel => TokenCases.Of(kernel, context),
        SelectPatches kernel => RowCases.Of(kernel, context),
        SelectRows kernel => RowCases.Of(kernel, context),
        VisionAttention kernel => AttentionCases.Of(kernel, context),
        _ => throw new NotSupportedException($"{definition.Source} is in the catalog of kernels and has no case in the kernel benchmark"),
    };
}

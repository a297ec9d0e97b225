namespace XComposer2.Native.Kernels;

/// <summary>A case, or several, for every kernel that <see cref="KernelCatalog"/> lists for a model.</summary>
public static class CaseCatalog
{
    /// <summary>In the order of the kernels' catalog, each once.</summary>
    /// <param name="kernels">Of <see cref="KernelCatalog"/>.</param>
    /// <param name="device">What decides tiles and grids.</param>
    /// <param name="counts">How much work.</param>
    public static IReadOnlyList<KernelCase> For(IReadOnlyList<KernelDefinition> kernels, DeviceFacts device, CaseSizes counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        CaseContext context = new(kernels, device, counts);
        // The catalog has linears once for each tile; the cases choose tiles themselves.
        return [.. kernels.SelectMany(definition => definition.Cases(context)).DistinctBy(found => found.Name)];
    }
}

/// <summary>What all cases are made for.</summary>
internal sealed record CaseContext(IReadOnlyList<KernelDefinition> Kernels, DeviceFacts Device, CaseSizes Counts)
{
    /// <summary>Patches of a picture.</summary>
    public int Patches { get; } = Kernels.OfType<PatchEmbedding>().First().Patches;

    /// <summary>Width of the decoder's residual stream.</summary>
    public int HiddenSize { get; } = Kernels.OfType<EmbedTokens>().First().Columns;

    public int VocabularySize { get; } = Kernels.OfType<SampleToken>().First().VocabularySize;

    /// <summary>"1 row", "8 rows".</summary>
    public static string Count(int count, string what) => count == 1 ? $"1 {what}" : FormattableString.Invariant($"{count} {what}s");
}

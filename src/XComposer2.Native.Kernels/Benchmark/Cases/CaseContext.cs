namespace XComposer2.Native.Kernels;

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

using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelBench;

/// <summary>What all cases are made for.</summary>
internal sealed record CaseContext(KernelSizes Sizes, KernelStorage Storage, DeviceShape Device, CaseSizes Counts)
{
    /// <summary>Patches of a picture.</summary>
    public int Patches => Sizes.ImageSize / Sizes.PatchSize * (Sizes.ImageSize / Sizes.PatchSize);

    /// <summary>"1 row", "8 rows".</summary>
    public static string Count(int count, string what) => count == 1 ? $"1 {what}" : FormattableString.Invariant($"{count} {what}s");
}

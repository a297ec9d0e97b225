namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 kernels list --json</c> prints.</summary>
internal sealed record KernelListJson(string Model, IReadOnlyList<KernelSummaryJson> Kernels);

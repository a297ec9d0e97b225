namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 kernels inspect --json</c> prints.</summary>
/// <param name="Model">Whose kernels.</param>
/// <param name="Kernels">Each specialisation for each generation.</param>
internal sealed record KernelInspectionJson(string Model, IReadOnlyList<KernelReportJson> Kernels);

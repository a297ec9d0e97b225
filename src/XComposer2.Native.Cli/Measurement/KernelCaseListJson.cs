using XComposer2.Native.KernelBench;

namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 bench kernels --list --json</c> writes.</summary>
/// <param name="Model">Whose sizes.</param>
/// <param name="Cases">In the order in which they would be measured.</param>
internal sealed record KernelCaseListJson(string Model, IReadOnlyList<KernelCaseJson> Cases)
{
    public static KernelCaseListJson Of(KernelBenchRequest request, IReadOnlyList<KernelCase> cases) => new(
        request.Model.Name, [.. cases.Select(item => new KernelCaseJson(item.Kernel, item.Work, item.Cost.Bytes, item.Cost.Flops, item.MemoryBytes))]);
}

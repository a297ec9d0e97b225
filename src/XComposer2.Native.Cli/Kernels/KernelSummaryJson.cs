namespace XComposer2.Native.Cli;

/// <summary>One line of <c>xc2 kernels list --json</c>.</summary>
/// <param name="Name">The entry.</param>
/// <param name="Source">The file.</param>
/// <param name="Serves">Generations.</param>
/// <param name="Specialisations">Of all generations together.</param>
internal sealed record KernelSummaryJson(string Name, string Source, IReadOnlyList<string> Serves, int Specialisations)
{
    public static IReadOnlyList<KernelSummaryJson> Of(IReadOnlyList<SelectedKernel> kernels) =>
    [
        .. kernels.GroupBy(kernel => kernel.Definition.Source).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new KernelSummaryJson(
                group.First().Definition.Entry,
                group.Key,
                [.. group.Select(kernel => kernel.Target.ToString()).Distinct()],
                group.Select(kernel => kernel.Definition).Distinct().Count())),
    ];
}

using System.Globalization;
using Spectre.Console;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>One line of <c>xc2 kernels inspect --json</c>.</summary>
internal sealed record KernelReportJson(
    string Name, string Target, string Specialisation, int Threads, int Registers, int SharedBytes, int StackBytes, int SpillBytes)
{
    public static KernelReportJson Of(SelectedKernel kernel, KernelResources resources) => new(
        kernel.Definition.Entry,
        kernel.Target.ToString(),
        kernel.Specialisation,
        kernel.Definition.BlockThreads,
        resources.Registers,
        resources.SharedBytes + kernel.Definition.DynamicSharedBytes,
        resources.StackBytes,
        resources.SpillBytes);
}

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

/// <summary>What <c>xc2 kernels list --json</c> prints.</summary>
internal sealed record KernelListJson(string Model, IReadOnlyList<KernelSummaryJson> Kernels);

/// <summary>What <c>xc2 kernels inspect --json</c> prints.</summary>
/// <param name="Model">Whose kernels.</param>
/// <param name="Kernels">Each specialisation for each generation.</param>
internal sealed record KernelInspectionJson(string Model, IReadOnlyList<KernelReportJson> Kernels);

/// <summary>What <c>xc2 kernels compile --json</c> prints.</summary>
/// <param name="Model">Whose kernels.</param>
/// <param name="Folder">The cache folder that was filled.</param>
/// <param name="Kernels">How many it has for the model.</param>
/// <param name="Compiled">Of these, how many were not there before.</param>
/// <param name="Bytes">Code of all of them.</param>
/// <param name="Seconds">What it took.</param>
internal sealed record CompiledKernelsJson(string Model, string Folder, int Kernels, int Compiled, long Bytes, double Seconds);

/// <summary>Kernels for people.</summary>
internal sealed class KernelText(IAnsiConsole console)
{
    public void Write(KernelListJson list)
    {
        Line($"kernels of {TerminalText.OneLine(list.Model)}", "bold");
        foreach (KernelSummaryJson kernel in list.Kernels)
            Line(string.Create(CultureInfo.InvariantCulture, $"  {kernel.Source,-36}{kernel.Specialisations,4} {(kernel.Specialisations == 1 ? "form " : "forms")}   {string.Join(' ', kernel.Serves)}"));
    }

    public void Write(CompiledKernelsJson compiled) => Line(string.Create(
        CultureInfo.InvariantCulture,
        $"{compiled.Kernels} {(compiled.Kernels == 1 ? "kernel" : "kernels")} of {TerminalText.OneLine(compiled.Model)} in {TerminalText.OneLine(compiled.Folder)}, {InspectionText.Size(compiled.Bytes)}: {compiled.Compiled} compiled in {compiled.Seconds:F1} s, {compiled.Kernels - compiled.Compiled} there before"));

    public void Write(KernelInspectionJson inspection)
    {
        Line($"  {"kernel",-20}{"target",-8}{"threads",8}{"registers",11}{"shared",9}{"stack",7}{"spills",8}  form", "bold");
        foreach (KernelReportJson kernel in inspection.Kernels)
            Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {kernel.Name,-20}{kernel.Target,-8}{kernel.Threads,8}{kernel.Registers,11}{kernel.SharedBytes,9}{kernel.StackBytes,7}{kernel.SpillBytes,8}  {kernel.Specialisation}"),
                kernel.StackBytes + kernel.SpillBytes > 0 ? "yellow" : "default");
    }

    private void Line(string text, string style = "default") => console.WriteLine(text, Style.Parse(style));
}

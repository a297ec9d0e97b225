using System.Globalization;
using Spectre.Console;

namespace XComposer2.Native.Cli;

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
        $"{compiled.Kernels} {(compiled.Kernels == 1 ? "kernel" : "kernels")} in {TerminalText.OneLine(compiled.Folder)}, {InspectionText.Size(compiled.Bytes)}: {compiled.Compiled} compiled in {compiled.Seconds:F1} s, {compiled.Kernels - compiled.Compiled} there before"));

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

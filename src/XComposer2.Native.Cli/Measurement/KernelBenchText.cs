using System.Globalization;
using Spectre.Console;

namespace XComposer2.Native.Cli;

/// <summary>Times of kernels for people: grouped by kernel, and at the end what is farthest from its limit.</summary>
internal sealed class KernelBenchText(IAnsiConsole console)
{
    private const double Poor = 0.5;

    public void Write(KernelBenchJson report)
    {
        int width = Width(report.Kernels.Select(time => time.Work));
        Line($"{TerminalText.OneLine(report.Model)}, {report.Storage}, on {TerminalText.OneLine(report.Device)}; driver for CUDA {report.Driver}, NVRTC {report.Nvrtc}", "bold");
        Line(string.Create(
            CultureInfo.InvariantCulture,
            $"limits of this device: {report.ReadGbPerS:0} GB/s read, {report.MmaTflopPerS:0.0} TFLOP/s by {(report.Storage == "f32" ? "multiply-adds" : "mma.sync")}; {report.MarkUs:0.0} us of each time are the marks'"));
        Line(string.Create(CultureInfo.InvariantCulture, $"{report.Repetitions} launches each, L2 {report.L2}{(report.Quick ? "; QUICK: these figures say nothing" : "")}"));
        foreach (IGrouping<string, KernelTimeJson> kernel in report.Kernels.GroupBy(time => time.Kernel))
        {
            Line("");
            Line(Header(kernel.Key, width), "bold");
            foreach (KernelTimeJson time in kernel)
                Line(Row($"  {time.Work}", time, width), time.OfLimit < Poor ? "yellow" : "default");
        }

        WriteWorst(report.Worst);
    }

    public void Write(KernelCaseListJson list)
    {
        int width = Width(list.Cases.Select(item => item.Work));
        Line($"cases of {TerminalText.OneLine(list.Model)}", "bold");
        foreach (IGrouping<string, KernelCaseJson> kernel in list.Cases.GroupBy(item => item.Kernel))
        {
            Line(kernel.Key, "bold");
            foreach (KernelCaseJson item in kernel)
                Line(string.Create(CultureInfo.InvariantCulture, $"{$"  {item.Work}".PadRight(width)}{item.Bytes / 1e6,12:0.00} MB{item.Flops / 1e9,12:0.00} GFLOP"));
        }
    }

    private void WriteWorst(IReadOnlyList<KernelTimeJson> worst)
    {
        int width = Width(worst.Select(time => $"{time.Kernel} {time.Work}"));
        Line("");
        Line(Header("farthest from the limit", width), "bold");
        foreach (KernelTimeJson time in worst)
            Line(Row($"  {time.Kernel} {time.Work}", time, width));
    }

    private static int Width(IEnumerable<string> works) => 4 + works.Select(work => work.Length).DefaultIfEmpty(20).Max();

    private static string Header(string title, int width) =>
        $"{title.PadRight(width)}{"us",10}{"least",10}{"90 %",10}{"GB/s",9}{"TFLOP/s",9}{"of limit",10}  bound by";

    private static string Row(string title, KernelTimeJson time, int width) => string.Create(
        CultureInfo.InvariantCulture,
        $"{title.PadRight(width)}{time.MedianUs,10:0.0}{time.MinUs,10:0.0}{time.P90Us,10:0.0}{time.GbPerS,9:0.0}{time.TflopPerS,9:0.00}{time.OfLimit,10:0.000}  {time.Bound}");

    private void Line(string text, string style = "default") => console.WriteLine(text, Style.Parse(style));
}

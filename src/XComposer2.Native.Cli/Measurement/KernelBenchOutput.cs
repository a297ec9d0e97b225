using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>Where the report of <c>xc2 bench kernels</c> goes: text on standard output, or JSON or comma-separated values instead, or all into files beside it.</summary>
/// <param name="console">The standard streams.</param>
/// <param name="json">JSON.</param>
/// <param name="csv">Comma-separated values.</param>
/// <param name="svg">A roofline; only into a file.</param>
internal sealed class KernelBenchOutput(CliConsole console, OutputTarget json, OutputTarget csv, OutputTarget svg)
{
    /// <summary>Finds out before minutes are spent.</summary>
    /// <exception cref="UsageException">Two kinds of output would share standard output.</exception>
    /// <exception cref="IOException">A file's folder is missing.</exception>
    public void RequireWritable()
    {
        if (json.IsStandardOutput && csv.IsStandardOutput)
            throw new UsageException("--json and --csv: expected a file for one of them, both would be standard output");
        foreach (OutputTarget target in new[] { json, csv, svg })
            if (target.File is { } file && Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
                throw new DirectoryNotFoundException($"{target.Option}: there is no folder {folder}");
    }

    public void Write(KernelBenchJson report) => Write(
        () => JsonSerializer.Serialize(report, CliJson.Indented.KernelBenchJson) + "\n", () => KernelBenchCsv.Of(report), () => RooflineSvg.Of(report),
        people => new KernelBenchText(people).Write(report));

    public void Write(KernelCaseListJson list) => Write(
        () => JsonSerializer.Serialize(list, CliJson.Indented.KernelCaseListJson) + "\n", null, null, people => new KernelBenchText(people).Write(list));

    /// <exception cref="UsageException">JSON or a roofline is wanted, which a comparison has not.</exception>
    public void Write(KernelComparison comparison)
    {
        foreach (OutputTarget target in new[] { json, svg })
            if (target.IsWanted)
                throw new UsageException($"{target.Option}: a comparison is text or --csv");
        Write(null, () => KernelBenchCsv.Of(comparison), null, people => new KernelComparisonText(people).Write(comparison));
    }

    private void Write(Func<string>? jsonText, Func<string>? csvText, Func<string>? svgText, Action<IAnsiConsole> forPeople)
    {
        if (!json.IsStandardOutput && !csv.IsStandardOutput)
            forPeople(console.RichOut());
        foreach ((OutputTarget target, Func<string>? text) in new[] { (json, jsonText), (csv, csvText), (svg, svgText) })
            if (target.IsWanted)
                Write(target, (text ?? throw new UsageException($"{target.Option}: expected measured kernels, found only a list of cases"))());
    }

    private void Write(OutputTarget target, string text)
    {
        if (target.File is not { } file)
        {
            console.Out.Write(text);
            return;
        }

        // Whole or not at all.
        string unfinished = $"{file}.part";
        File.WriteAllText(unfinished, text);
        File.Move(unfinished, file, overwrite: true);
    }
}

/// <summary>An option that asks for a kind of output, with a file or without.</summary>
/// <param name="Option">For messages.</param>
/// <param name="IsWanted">It was given.</param>
/// <param name="File">Null for standard output.</param>
internal readonly record struct OutputTarget(string Option, bool IsWanted, string? File)
{
    public bool IsStandardOutput => IsWanted && File is null;
}

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
            $"limits of this device: {report.ReadGbPerS:0} GB/s read, {report.MmaTflopPerS:0.0} TFLOP/s by {(report.Storage == "f32" ? "multiply-adds" : "mma.sync")}; {report.MarkUs:0.0} us of each time are the marks', a graph's node takes {report.NodeUs:0.0} us"));
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

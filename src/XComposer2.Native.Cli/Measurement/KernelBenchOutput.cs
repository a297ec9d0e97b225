using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>Where the report of <c>xc2 bench kernels</c> goes: text on standard output, and JSON there instead or into a file beside it.</summary>
/// <param name="console">The standard streams.</param>
/// <param name="json">JSON is wanted.</param>
/// <param name="file">The file for it; null for standard output.</param>
internal sealed class KernelBenchOutput(CliConsole console, bool json, string? file)
{
    /// <summary>Finds out before minutes are spent.</summary>
    /// <exception cref="IOException">The file's folder is missing.</exception>
    public void RequireWritable()
    {
        if (file is not null && Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"--json: there is no folder {folder}");
    }

    public void Write(KernelBenchJson report) => Write(report, CliJson.Indented.KernelBenchJson, text => text.Write(report));

    public void Write(KernelCaseListJson list) => Write(list, CliJson.Indented.KernelCaseListJson, text => text.Write(list));

    private void Write<T>(T report, JsonTypeInfo<T> type, Action<KernelBenchText> forPeople)
    {
        if (json && file is null)
        {
            console.Out.WriteLine(JsonSerializer.Serialize(report, type));
            return;
        }

        forPeople(new KernelBenchText(console.RichOut()));
        if (file is not null)
            WriteFile(JsonSerializer.Serialize(report, type));
    }

    // Whole or not at all.
    private void WriteFile(string text)
    {
        string unfinished = $"{file}.part";
        File.WriteAllText(unfinished, text + "\n");
        File.Move(unfinished, file!, overwrite: true);
    }
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

/// <summary>What <c>xc2 bench kernels</c> is asked for.</summary>
/// <param name="Model">Whose sizes.</param>
/// <param name="Storage">Type of weights and activations; null for the one that the model would run in.</param>
/// <param name="Filters">A case is wanted when its name has one of these in it; empty for all.</param>
internal sealed record KernelBenchRequest(KernelModel Model, DType? Storage, IReadOnlyList<string> Filters)
{
    public L2State L2 { get; init; }

    /// <summary>Null for as many as the benchmark takes by itself.</summary>
    public int? Repetitions { get; init; }

    public bool IsQuick { get; init; }

    /// <summary>The cases for a device, and how to measure them.</summary>
    /// <exception cref="UsageException">No case has a filter in its name, or the device has no kernels of the storage type.</exception>
    public (IReadOnlyList<KernelCase> Cases, KernelBenchPlan Plan) Find(DeviceFacts device)
    {
        KernelBenchPlan plan = new() { Storage = Model.StorageOn(device.Capability, Storage), L2 = L2, IsQuick = IsQuick };
        plan = plan with { Repetitions = Repetitions ?? (IsQuick ? 1 : plan.Repetitions) };
        IReadOnlyList<KernelCase> all = CaseCatalog.For(ModelCatalog.KernelsOf(Model.Config, plan.Storage, device.Capability), device, plan.Counts);
        foreach (string filter in Filters)
            if (!all.Any(item => IsMeant(item, filter)))
                throw new UsageException($"--filter: no case has '{filter}' in its name; kernels are {string.Join(", ", all.Select(item => item.Kernel).Distinct().Order(StringComparer.Ordinal))}, --list shows the cases");
        return ([.. all.Where(item => Filters.Count == 0 || Filters.Any(filter => IsMeant(item, filter)))], plan);
    }

    private static bool IsMeant(KernelCase item, string filter) => item.Name.Contains(filter, StringComparison.OrdinalIgnoreCase);
}

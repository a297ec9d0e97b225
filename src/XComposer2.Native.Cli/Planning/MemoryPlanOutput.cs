using System.Globalization;
using Spectre.Console;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cli;

/// <summary>Output of <c>xc2 plan --json</c>.</summary>
internal sealed record MemoryPlanJson(
    string Model, int ContextLength, IReadOnlyList<MemoryItemJson> Items, long TotalBytes, IReadOnlyList<MemoryItemJson> Growth, long MachineBytes, IReadOnlyList<GraphPlanJson> Graphs, GpuFitJson? Vram)
{
    public static MemoryPlanJson Of(ModelMemoryPlan plan, long machineBytes, GpuFit? fit) => new(
        plan.Model,
        plan.ContextLength,
        [.. plan.Allocated.Items.Prepend(plan.Weights).Select(item => new MemoryItemJson(item.Name, item.Bytes))],
        plan.TotalBytes,
        [.. plan.Growth.Select(item => new MemoryItemJson(item.Name, item.Bytes))],
        machineBytes,
        [.. plan.Plans.Select(GraphPlanJson.Of)],
        fit is null ? null : new GpuFitJson(fit.AvailableBytes, GpuFit.ContextBytes, fit.NeededBytes, fit.Fits, fit.Change, fit.Change is null ? null : fit.ChangedBytes));
}

/// <summary>Whether a plan fits into a GPU's memory; the smallest change with which it would, where there is one.</summary>
internal sealed record GpuFitJson(long Bytes, long ContextBytes, long NeededBytes, bool Fits, string? Change, long? ChangedBytes);

/// <summary>One line of a memory plan.</summary>
internal sealed record MemoryItemJson(string Name, long Bytes);

/// <summary>The largest plan of one graph.</summary>
internal sealed record GraphPlanJson(string Name, int Steps, int Tokens, int Images, long ArenaBytes, long LowerBoundBytes)
{
    public static GraphPlanJson Of(ExecutionPlan plan) => new(
        plan.Graph.Name, plan.Graph.Operations.Length, plan.Graph.Capacity.Tokens, plan.Graph.Capacity.Images, plan.ArenaBytes, plan.LowerBoundBytes);
}

/// <summary>Prints a memory plan.</summary>
internal sealed class MemoryPlanText(IAnsiConsole console)
{
    public void Write(ModelMemoryPlan plan, long machineBytes, bool steps, GpuFit? fit = null)
    {
        Line(string.Create(CultureInfo.InvariantCulture, $"{TerminalText.OneLine(plan.Model)}, context of {plan.ContextLength} tokens"), "bold");
        if (plan.Weights.Bytes > 0)
            Item(plan.Weights);
        foreach (MemoryItem item in plan.Allocated.Items)
            Item(item);
        Item(new MemoryItem("all", plan.TotalBytes), "bold");
        WriteRest(plan, machineBytes);
        if (fit is not null)
            WriteFit(fit);
        foreach (MemoryItem item in plan.PageLocked)
            Item(item);
        foreach (MemoryItem item in plan.Growth)
            Item(item with { Name = $"with use: {item.Name}" });
        foreach (MemoryItem item in plan.Host)
            Item(item with { Name = item.Name + ", in host memory" });

        Line("");
        Line($"  {"graph",-12}{"steps",8}{"arena",14}{"lower bound",16}", "bold");
        foreach (ExecutionPlan graph in plan.Plans)
            Line(string.Create(
                CultureInfo.InvariantCulture,
                $"  {graph.Graph.Name,-12}{graph.Graph.Operations.Length,8}{InspectionText.Size(graph.ArenaBytes),14}{InspectionText.Size(graph.LowerBoundBytes),16}"));
        if (!steps)
            return;
        foreach (ExecutionPlan graph in plan.Plans)
        {
            Line("");
            foreach (string line in PlanText.Write(graph).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Line(line);
        }
    }

    /// <summary>Prints nothing if there is no device to compare with.</summary>
    private void WriteRest(ModelMemoryPlan plan, long machineBytes)
    {
        if (machineBytes == 0)
            return;
        string whose = plan.Device == DeviceKind.Cuda ? "the GPU's memory" : "this machine's memory";
        long left = machineBytes - plan.TotalBytes;
        Item(left >= 0 ? new MemoryItem($"remaining in {whose}", left) : new MemoryItem($"excess over {whose}", -left), left >= 0 ? "green" : "yellow");
    }

    private void WriteFit(GpuFit fit)
    {
        Item(new MemoryItem("CUDA context", GpuFit.ContextBytes));
        Item(new MemoryItem(string.Create(CultureInfo.InvariantCulture, $"needed of {Gibibytes(fit.AvailableBytes)} ({Gibibytes(fit.NeededBytes)})"), fit.NeededBytes), "bold");
        if (fit.Fits)
            Line($"  fits: {Gibibytes(fit.AvailableBytes - fit.NeededBytes)} are left", "green");
        else if (fit.Change is null)
            Line($"  does not fit: {Gibibytes(fit.NeededBytes - fit.AvailableBytes)} too much, and no change of options makes it fit", "yellow");
        else
            Line($"  does not fit: {Gibibytes(fit.NeededBytes - fit.AvailableBytes)} too much; with {fit.Change} it needs {Gibibytes(fit.ChangedBytes)}", "yellow");
    }

    private static string Gibibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):f2} GiB");

    private void Item(MemoryItem item, string style = "default") => Line($"  {item.Name,-56}{InspectionText.Size(item.Bytes),12}", style);

    private void Line(string text, string style = "default") => console.WriteLine(text, Style.Parse(style));
}

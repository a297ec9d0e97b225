using System.Globalization;
using Spectre.Console;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cli;

/// <summary>A memory plan for people.</summary>
internal sealed class MemoryPlanText(IAnsiConsole console)
{
    public void Write(ModelMemoryPlan plan, long machineBytes, bool steps)
    {
        Line(string.Create(CultureInfo.InvariantCulture, $"{TerminalText.OneLine(plan.Model)}, context of {plan.ContextLength} tokens"), "bold");
        Item(plan.Weights);
        foreach (MemoryItem item in plan.Allocated.Items)
            Item(item);
        Item(new MemoryItem("all", plan.TotalBytes), "bold");
        WriteRest(plan, machineBytes);
        foreach (MemoryItem item in plan.PageLocked)
            Item(item);

        Line("");
        Line($"  {"graph",-12}{"steps",8}{"arena",14}{"no plan below",16}", "bold");
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

    /// <summary>Nothing where no device is there to compare with.</summary>
    private void WriteRest(ModelMemoryPlan plan, long machineBytes)
    {
        if (machineBytes == 0)
            return;
        string whose = plan.Device == DeviceKind.Cuda ? "the GPU's memory" : "this machine's memory";
        long left = machineBytes - plan.TotalBytes;
        Item(left >= 0 ? new MemoryItem($"left of {whose}", left) : new MemoryItem($"more than {whose}", -left), left >= 0 ? "green" : "yellow");
    }

    private void Item(MemoryItem item, string style = "default") => Line($"  {item.Name,-56}{InspectionText.Size(item.Bytes),12}", style);

    private void Line(string text, string style = "default") => console.WriteLine(text, Style.Parse(style));
}

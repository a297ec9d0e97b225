using XComposer2.Native.Graph;

namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 plan --json</c> prints.</summary>
internal sealed record MemoryPlanJson(
    string Model, int ContextLength, IReadOnlyList<MemoryItemJson> Items, long TotalBytes, long MachineBytes, IReadOnlyList<GraphPlanJson> Graphs)
{
    public static MemoryPlanJson Of(ModelMemoryPlan plan, long machineBytes) => new(
        plan.Model,
        plan.ContextLength,
        [.. plan.Allocated.Items.Prepend(plan.Weights).Select(item => new MemoryItemJson(item.Name, item.Bytes))],
        plan.TotalBytes,
        machineBytes,
        [.. plan.Plans.Select(GraphPlanJson.Of)]);
}

using XComposer2.Native.Graph;

namespace XComposer2.Native.Cli;

/// <summary>The largest plan of one graph.</summary>
internal sealed record GraphPlanJson(string Name, int Steps, int Tokens, int Images, long ArenaBytes, long LowerBoundBytes)
{
    public static GraphPlanJson Of(ExecutionPlan plan) => new(
        plan.Graph.Name, plan.Graph.Operations.Length, plan.Graph.Capacity.Tokens, plan.Graph.Capacity.Images, plan.ArenaBytes, plan.LowerBoundBytes);
}

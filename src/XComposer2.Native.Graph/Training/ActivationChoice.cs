namespace XComposer2.Native.Graph;

/// <summary>How many layers a training graph recomputes, and the plan that this gives: fewer bytes for more arithmetic.</summary>
/// <param name="RecomputedLayers">Of <see cref="TrainingGraphOptions.Layers"/>, from the first on.</param>
/// <param name="Plan">With its bytes.</param>
public sealed record ActivationChoice(int RecomputedLayers, ExecutionPlan Plan)
{
    /// <summary>The choice that recomputes fewest layers within a budget.</summary>
    /// <param name="layers">Layers that can be recomputed.</param>
    /// <param name="budgetBytes">Largest arena.</param>
    /// <param name="plan">The plan with so many layers recomputed. More layers never take more bytes.</param>
    /// <exception cref="GraphException">Not even all layers recomputed fit; the message has the bytes.</exception>
    public static ActivationChoice Fit(int layers, long budgetBytes, Func<int, ExecutionPlan> plan)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layers);
        ArgumentNullException.ThrowIfNull(plan);
        var kept = new ActivationChoice(0, plan(0));
        if (kept.Plan.ArenaBytes <= budgetBytes)
            return kept;
        var least = new ActivationChoice(layers, layers == 0 ? kept.Plan : plan(layers));
        if (least.Plan.ArenaBytes > budgetBytes)
        {
            throw new GraphException(
                $"graph '{least.Plan.Graph.Name}': activations: expected at most {budgetBytes} bytes, found {kept.Plan.ArenaBytes}, or {least.Plan.ArenaBytes} with all {layers} layers recomputed");
        }

        (int tooFew, ActivationChoice enough) = (0, least);
        while (enough.RecomputedLayers - tooFew > 1)
        {
            int middle = (tooFew + enough.RecomputedLayers) / 2;
            ExecutionPlan tried = plan(middle);
            if (tried.ArenaBytes <= budgetBytes)
                enough = new ActivationChoice(middle, tried);
            else
                tooFew = middle;
        }

        return enough;
    }
}

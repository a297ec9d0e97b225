namespace XComposer2.Native.Graph;

/// <summary>The forward pass of a <see cref="TrainingGraph"/> alone: how unlikely the right tokens are, and whether they are the likeliest ones. Nothing is dropped, and nothing is kept.</summary>
/// <param name="Graph">The forward pass.</param>
/// <param name="Output">[logits, 2] F32: the loss of each row, and 1 where no token is likelier than the target.</param>
/// <param name="Targets">Input: the right token of each row [logits] I32.</param>
/// <param name="Starts">Input: as <see cref="TrainingGraph.Starts"/>.</param>
public sealed record ScoringGraph(ComputeGraph Graph, Tensor Output, Tensor Targets, Tensor? Starts)
{
    /// <summary>Name of <see cref="Output"/>.</summary>
    public const string ScoresName = "token_scores";

    /// <summary>Writes the forward pass of a graph that has a token loss.</summary>
    /// <param name="source">As of <see cref="TrainingGraph.Build"/>.</param>
    /// <param name="options">Of the training graph. Only its output and its adapters matter here.</param>
    /// <exception cref="GraphException">The output is not made by a plain linear.</exception>
    public static ScoringGraph Build(ComputeGraph source, TrainingGraphOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        var builder = new GraphBuilder(source.Name + " scoring", source.Capacity) { HasFreeSums = true };
        var forward = new DifferentiableForm(source, builder, options with { AdapterOf = weight => options.AdapterOf(weight) is { } adapter ? adapter with { Dropout = 0 } : null }, hasScores: true);
        Tensor output = forward.Write();
        return forward.Targets is { } targets
            ? new ScoringGraph(builder.Build(), output, targets, forward.Starts)
            : throw new GraphException($"graph '{source.Name}', output '{options.Output}': expected the result of a linear, whose tokens have targets");
    }
}

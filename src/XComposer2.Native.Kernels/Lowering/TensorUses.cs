using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Who reads each tensor of a graph, and whether anyone needs it in F32.</summary>
internal sealed class TensorUses
{
    private readonly Operation?[] onlyReader;
    private readonly int[] readers;
    private readonly bool[] needsFloat;

    public TensorUses(ComputeGraph graph)
    {
        onlyReader = new Operation?[graph.Tensors.Length];
        readers = new int[graph.Tensors.Length];
        needsFloat = new bool[graph.Tensors.Length];
        foreach (Operation operation in graph.Operations)
        {
            foreach (Tensor input in operation.Inputs)
            {
                readers[input.Index]++;
                onlyReader[input.Index] = operation;
            }

            foreach (Tensor input in FloatsOf(operation))
                needsFloat[input.Index] = true;
        }
    }

    /// <summary>The operation that alone reads the tensor; null where none or several do.</summary>
    public Operation? OnlyReader(Tensor tensor) => readers[tensor.Index] == 1 ? onlyReader[tensor.Index] : null;

    /// <summary>The residual stream, weights that are added to it, and what leaves the graph without being read in it, are F32.</summary>
    public bool IsFloat(Tensor tensor) => needsFloat[tensor.Index] || readers[tensor.Index] == 0;

    private static IEnumerable<Tensor> FloatsOf(Operation operation) => operation switch
    {
        LinearOp { Residual: { } residual } => [residual],
        RmsNormOp norm => [norm.Input],
        LayerNormOp norm => [norm.Input],
        SelectRowsOp select => [select.Input],
        SelectPatchesOp select => [select.Input],
        PatchEmbeddingOp patches => [patches.ClassToken, patches.Positions],
        RopeKvAppendOp rope => [rope.Packed],
        EmbedTokensOp { Table.Scales: { } scales } => [scales],
        _ => [],
    };
}

/// <summary>The linears of an attention's queries, keys and values, where one linear over the rows of their weights does the same.</summary>
/// <param name="Query">Comes first.</param>
/// <param name="Key">Likewise.</param>
/// <param name="Value">Likewise.</param>
internal sealed record PackedProjections(LinearOp Query, LinearOp Key, LinearOp Value)
{
    public IReadOnlyList<LinearOp> All => [Query, Key, Value];

    /// <summary>Of every attention within a picture that has them.</summary>
    public static IEnumerable<PackedProjections> In(ComputeGraph graph, TensorUses uses)
    {
        Dictionary<int, LinearOp> linears = graph.Operations.OfType<LinearOp>().ToDictionary(linear => linear.Output.Index);
        foreach (VisionAttentionOp attention in graph.Operations.OfType<VisionAttentionOp>())
            if (linears.TryGetValue(attention.Query.Index, out LinearOp? query) && linears.TryGetValue(attention.Key.Index, out LinearOp? key)
                && linears.TryGetValue(attention.Value.Index, out LinearOp? value)
                && new PackedProjections(query, key, value) is var projections && projections.All.All(linear => projections.Takes(linear, graph) && uses.OnlyReader(linear.Output) == attention))
                yield return projections;
    }

    private bool Takes(LinearOp linear, ComputeGraph graph) =>
        linear.Input == Query.Input && linear is { Lora: null, Residual: null, Activation: Activation.None } && linear.Bias is null == Query.Bias is null
        && linear.Weight.Format == Query.Weight.Format && graph[linear.Weight.Elements].Shape == graph[Query.Weight.Elements].Shape
        && graph[linear.Output].Role == TensorRole.Temporary;
}

using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

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

            foreach (Tensor input in ResidualStreamOf(operation))
                needsFloat[input.Index] = true;
        }
    }

    /// <summary>The operation that alone reads the tensor; null where none or several do.</summary>
    public Operation? OnlyReader(Tensor tensor) => readers[tensor.Index] == 1 ? onlyReader[tensor.Index] : null;

    /// <summary>The residual stream, and what leaves the graph without being read in it, stay in F32.</summary>
    public bool IsFloat(Tensor tensor) => needsFloat[tensor.Index] || readers[tensor.Index] == 0;

    private static IEnumerable<Tensor> ResidualStreamOf(Operation operation) => operation switch
    {
        LinearOp { Residual: { } residual } => [residual],
        RmsNormOp norm => [norm.Input],
        LayerNormOp norm => [norm.Input],
        SelectRowsOp select => [select.Input],
        SelectPatchesOp select => [select.Input],
        _ => [],
    };
}

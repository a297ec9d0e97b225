using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Kernels of the operations that only lowered training graphs have (<see cref="TrainingLowering"/>).</summary>
internal static class TrainingChoice
{
    /// <returns>Null for an operation of another kind.</returns>
    public static OperationKernel? Choose(Operation operation, ComputeGraph graph, int rows) => operation switch
    {
        MatrixProductOp { Form: ProductForm.WeightGradient } product =>
            MatrixProduct.Choose(product.Form, product.Operand, graph[product.Right].Type, graph[product.Left].RowElements, graph[product.Right].RowElements),
        MatrixProductOp product => MatrixProduct.Choose(product.Form, product.Operand, graph[product.Right].Type, rows, graph[product.Output].RowElements),
        AttentionRowsOp attention => new AttentionRows(
            attention.Operand, attention.Attention.Geometry.HeadSize, attention.Attention.Geometry.GroupSize, attention.Attention.IsCausal, attention.Gradient is not null),
        AttentionGradientOp { Rows: { Attention: { } attention } of } => new AttentionGradient(of.Operand, attention.Geometry.HeadSize, attention.Geometry.GroupSize, attention.IsCausal),
        NormInputGradientOp norm => new NormInputGradient(norm.Centred),
        RowMomentsOp moments => new RowMoments(moments.Centred),
        ColumnSumsOp sums => new ColumnSums(sums.Input is not null),
        RotaryOp rotary => new Rotary(rotary.Geometry.HeadSize, rotary.Geometry.GroupSize, rotary.Inverse),
        ScatterRowsOp scatter => new ScatterRows(graph[scatter.Output].Role == TensorRole.Gradient),
        RearrangeOp copy => new Rearrange(copy.Kind),
        PointwiseOp pointwise => new Pointwise(pointwise.Function),
        PieceLossOp loss => new TokenLoss(loss.Function),
        _ => null,
    };
}

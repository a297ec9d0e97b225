using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The launches of a lowered training graph with their exact sizes, to be predicted: they have no operands and cannot run.</summary>
public static class TrainingLaunches
{
    /// <param name="graph">Of <see cref="TrainingLowering"/>, at capacity.</param>
    /// <param name="device">Where.</param>
    /// <returns>Each kind of launch once, and how often the graph has it.</returns>
    /// <exception cref="NotSupportedException">An operation has no kernel.</exception>
    public static IReadOnlyList<(KernelCase Case, int Count)> Of(ComputeGraph graph, DeviceFacts device)
    {
        Dictionary<string, (KernelCase Case, int Count)> launches = new(StringComparer.Ordinal);
        foreach (Operation operation in graph.Operations)
        {
            KernelCase found = CaseOf(operation, graph, device);
            launches[found.Name] = (found, launches.GetValueOrDefault(found.Name).Count + 1);
        }

        return [.. launches.Values];
    }

    /// <summary>AdamW's step over so many trained elements, and the norm of their gradients.</summary>
    public static IEnumerable<KernelCase> OfOptimiser(long elements)
    {
        AdamW step = new();
        SumOfSquares norm = new();
        yield return Case("all parameters", step, step.Geometry(elements), AdamW.Cost(elements));
        yield return Case("all gradients", norm, norm.Geometry(elements), SumOfSquares.Cost(elements));
    }

    private static KernelCase CaseOf(Operation operation, ComputeGraph graph, DeviceFacts device)
    {
        TensorSpec output = graph[operation.Output];
        int rows = output.Shape[0], columns = output.RowElements;
        OperationKernel kernel = KernelChoice.Choose(operation, graph, rows, device);
        string size = FormattableString.Invariant($"{rows}x{columns}");
        switch (kernel, operation)
        {
            case (MatrixProduct product, MatrixProductOp op):
                return Product(product, op, graph);
            case (AttentionRows attention, AttentionRowsOp op):
                return Case(
                    $"{(attention.HasStatistics ? "statistics of " : "")}{Heads(op.Attention, rows)}", attention, attention.Geometry(rows, op.Attention.Geometry.QueryHeads),
                    attention.Cost(rows, op.Attention.Geometry.QueryHeads, Seen(op.Attention, rows)));
            case (AttentionGradient attention, AttentionGradientOp { Rows.Attention: var heads }):
                return Case(Heads(heads, rows), attention, attention.Geometry(rows, heads.Geometry.QueryHeads), attention.Cost(rows, heads.Geometry.QueryHeads, Seen(heads, rows)));
            case (NormInputGradient norm, _):
                return Case(size, norm, TrainingGrid.WarpForEach(rows, norm.BlockThreads), NormInputGradient.Cost(rows, columns));
            case (RowMoments moments, RowMomentsOp op):
                return Case(size, moments, TrainingGrid.WarpForEach(rows, moments.BlockThreads), RowMoments.Cost(rows, graph[op.Input].RowElements));
            case (ColumnSums sums, ColumnSumsOp op):
                int summed = graph[op.Gradient].Shape[0];
                return Case(size, sums, sums.Geometry(columns, rows), sums.Cost(summed, columns, rows));
            case (Rotary rotary, _):
                return Case($"{size}{(rotary.Inverse ? ", backwards" : "")}", rotary, rotary.Geometry(rows), rotary.Cost(rows, columns / rotary.HeadSize));
            case (ScatterRows scatter, ScatterRowsOp op):
                int moved = graph[op.Gradient].Shape[0];
                return Case(size, scatter, scatter.Geometry(moved, rows), scatter.Cost(moved, rows, columns));
            case (Rearrange copy, _):
                return Case($"{copy.Kind} {size}", copy, TrainingGrid.Of((long)rows * columns, copy.BlockThreads, copy.BlockThreads), Rearrange.Cost((long)rows * columns));
            case (Pointwise pointwise, _):
                return Case($"{pointwise.Function} {size}", pointwise, pointwise.Geometry((long)rows * columns), pointwise.Cost((long)rows * columns));
            case (TokenLoss loss, PieceLossOp op):
                (int piece, int vocabulary) = (op.Piece.Rows, graph[op.Logits].RowElements);
                return Case(FormattableString.Invariant($"{loss.Function} {piece}x{vocabulary}"), loss, loss.Geometry(piece), loss.Cost(piece, vocabulary));
            case (RmsNorm norm, _):
                return Case(size, norm, norm.Geometry(rows), norm.Cost(rows));
            case (LayerNorm norm, _):
                return Case(size, norm, norm.Geometry(rows), norm.Cost(rows));
            case (EmbedTokens embed, _):
                return Case(size, embed, embed.Geometry(rows), embed.Cost(rows, 0));
            case (SelectRows select, _):
                return Case(size, select, select.Geometry(rows), select.Cost(rows));
            case (SelectPatches select, _):
                return Case(size, select, select.Geometry(rows), select.Cost(rows));
            case (PatchEmbedding patches, PatchEmbeddingOp op):
                int images = graph[op.Pixels].Shape[0];
                return Case(size, patches, patches.Geometry(images), patches.Cost(images));
            case (Dequantize panel, _):
                return Case($"{size} {panel.Format}", panel, panel.Geometry(), panel.Cost());
            default:
                throw new NotSupportedException($"graph '{graph.Name}': no prediction for {operation.Name} by {kernel.Entry}");
        }
    }

    private static KernelCase Product(MatrixProduct kernel, MatrixProductOp op, ComputeGraph graph)
    {
        TensorSpec left = graph[op.Left], right = graph[op.Right], output = graph[op.Output];
        int pieceRows = op.Piece?.Rows ?? int.MaxValue;
        (int rows, int columns, int depth) = kernel.Form == ProductForm.WeightGradient
            ? (left.RowElements, right.RowElements, Math.Min(right.Shape[0], pieceRows))
            : (Math.Min(output.Shape[0], pieceRows), output.RowElements, left.RowElements);
        string form = kernel.Form switch { ProductForm.Linear => "x W", ProductForm.InputGradient => "g W", _ => "g x" };
        return Case(
            FormattableString.Invariant($"{form} {rows}x{columns}x{depth}, {right.Type.CudaName()} in {kernel.Operand.CudaName()}, tiles of {kernel.Tile}"), kernel,
            kernel.Geometry(rows, columns), kernel.Cost(rows, columns, depth));
    }

    private static string Heads(TrainedAttention attention, int rows) => FormattableString.Invariant(
        $"{rows} rows, {attention.Geometry.QueryHeads}/{attention.Geometry.KeyValueHeads} heads of {attention.Geometry.HeadSize}{(attention.IsCausal ? "" : ", within pictures")}");

    // Half of a causal sequence, or the picture.
    private static int Seen(TrainedAttention attention, int rows) => attention.IsCausal ? Math.Max(1, rows / 2) : attention.TokensPerImage;

    private static KernelCase Case(string work, KernelDefinition kernel, LaunchGeometry geometry, KernelCost cost) =>
        KernelCase.Create<byte>(work, kernel, geometry, cost, new CaseMemory(), static byte (DevicePointer _) => throw new NotSupportedException("a launch to be predicted has no operands"));
}

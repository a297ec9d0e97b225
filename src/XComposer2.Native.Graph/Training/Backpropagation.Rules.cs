namespace XComposer2.Native.Graph;

internal sealed partial class Backpropagation
{
    /// <summary>The gradients of what an operation read, from the gradient of its result.</summary>
    private void Differentiate(Operation operation, Tensor g)
    {
        switch (operation)
        {
            case LinearOp linear: Linear(linear, g); break;
            case ActivationOp op: Contribute(op.Input, dx => new ActivationGradientOp(g, Value(op.Input), op.Activation, dx)); break;
            case SiluProductOp op:
                Contribute(op.Up, dx => new SiluProductGradientOp(g, Value(op.Gate), null, dx));
                Contribute(op.Gate, dx => new SiluProductGradientOp(g, Value(op.Gate), Value(op.Up), dx));
                break;
            case AddOp op:
                if (op.Left is { } left)
                    Contribute(left, g);
                if (op.Scale == 1)
                    Contribute(op.Right, g);
                else
                    Contribute(op.Right, dx => new AddOp(null, g, op.Scale, dx));
                break;
            case DropoutOp op: Contribute(op.Input, dx => op with { Input = g, Output = dx }); break;
            case RmsNormOp op:
                AddTo(op.Weight, dw => new NormWeightGradientOp(g, Value(op.Input), op.Epsilon, false, dw));
                Contribute(op.Input, (sum, dx) => new NormInputGradientOp(g, Value(op.Input), op.Weight, op.Epsilon, false, sum, dx));
                break;
            case LayerNormOp op:
                AddTo(op.Weight, dw => new NormWeightGradientOp(g, Value(op.Input), op.Epsilon, true, dw));
                AddTo(op.Bias, db => new RowSumGradientOp(g, 1, db));
                Contribute(op.Input, (sum, dx) => new NormInputGradientOp(g, Value(op.Input), op.Weight, op.Epsilon, true, sum, dx));
                break;
            case RotaryOp op: Contribute(op.Packed, dx => new RotaryOp(g, op.Starts, op.Geometry, op.RopeTheta, !op.Inverse, dx)); break;
            case CausalAttentionOp op: Contribute(op.Packed, dx => new CausalAttentionGradientOp(g, Value(op.Packed), op.Starts, op.Geometry, dx)); break;
            case VisionAttentionOp op: VisionAttention(op, g); break;
            case SelectRowsOp op: Contribute(op.Input, dx => new ScatterRowsOp(g, op.Rows, null, dx)); break;
            case SelectPatchesOp op: Contribute(op.Input, dx => new SelectPatchesGradientOp(g, op.TokensPerImage, dx)); break;
            case EmbedTokensOp op:
                AddTo(op.Table.Elements, dw => new ScatterRowsOp(g, op.Ids, op.VisualRow, dw));
                if (op.Visual is { } visual)
                    Contribute(visual, dx => new ScatterRowsOp(g, op.VisualRow!.Value, null, dx));
                break;
            case PatchEmbeddingOp op:
                int tokens = builder[op.Positions].Shape[0];
                AddTo(op.Weight, dw => new PatchWeightGradientOp(g, op.Pixels, dw));
                AddTo(op.ClassToken, dw => new RowSumGradientOp(g, tokens, dw));
                AddTo(op.Positions, dw => new RowSumGradientOp(g, tokens, dw));
                break;
            case TokenLossOp op:
                AddTo(op.Head.Elements, dw => new TokenLossGradientOp(g, Value(op.Input), op.Head, op.Targets, true, dw));
                Contribute(op.Input, dx => new TokenLossGradientOp(g, Value(op.Input), op.Head, op.Targets, false, dx));
                break;
            default:
                throw new GraphException($"graph '{builder.Name}', {operation.Name} '{builder[operation.Output].Name}': the operation has no gradient");
        }
    }

    // y = x Wᵀ + bias + residual + scale (x Aᵀ) Bᵀ on visual rows. x Aᵀ is a small product, and computed again.
    private void Linear(LinearOp op, Tensor g)
    {
        if (op.Residual is { } residual)
            Contribute(residual, g);
        AddTo(op.Bias, db => new RowSumGradientOp(g, 1, db));
        AddTo(op.Weight.Elements, dw => new LinearWeightGradientOp(g, Value(op.Input), 1, null, dw));
        Contribute(op.Input, (sum, dx) => new LinearInputGradientOp(g, op.Weight, 1, null, sum, dx));
        if (op.Lora is not { } lora)
            return;
        TensorSpec rows = builder[g];
        int rank = builder[lora.A.Elements].Shape[0];
        if (IsTrained(lora.B.Elements))
        {
            Tensor x = Value(op.Input);
            Tensor reduced = builder.Emit($"{builder[op.Output].Name}.reduced.{count++}", rows.Rows, rank, y => new LinearOp(x, lora.A, null, Activation.None, null, null, null, y));
            AddTo(lora.B.Elements, dw => new LinearWeightGradientOp(g, reduced, lora.Scale, op.VisualRow, dw));
        }

        if (!IsTrained(lora.A.Elements) && !IsVarying(op.Input))
            return;
        Tensor back = builder.Emit(
            $"{TrainingGraph.GradientName(builder[op.Output].Name)}.reduced.{count++}", rows.Rows, rank, y => new LinearInputGradientOp(g, lora.B, lora.Scale, op.VisualRow, null, y));
        AddTo(lora.A.Elements, dw => new LinearWeightGradientOp(back, Value(op.Input), 1, op.VisualRow, dw));
        Contribute(op.Input, (sum, dx) => new LinearInputGradientOp(back, lora.A, 1, op.VisualRow, sum, dx));
    }

    private void VisionAttention(VisionAttentionOp op, Tensor g)
    {
        TensorSpec rows = builder[op.Output];
        int width = rows.Shape[1];
        Tensor query = Value(op.Query), key = Value(op.Key), value = Value(op.Value);
        Tensor packed = builder.Emit(
            $"{TrainingGraph.GradientName(rows.Name)}.packed.{count++}", rows.Rows, 3 * width, y => new VisionAttentionGradientOp(g, query, key, value, op.TokensPerImage, op.Heads, y));
        Contribute(op.Query, dx => new SliceColumnsOp(packed, 0, dx));
        Contribute(op.Key, dx => new SliceColumnsOp(packed, width, dx));
        Contribute(op.Value, dx => new SliceColumnsOp(packed, 2 * width, dx));
    }
}

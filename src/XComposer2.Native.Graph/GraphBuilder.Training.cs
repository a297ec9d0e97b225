namespace XComposer2.Native.Graph;

public sealed partial class GraphBuilder
{
    /// <summary>activation(x) on its own, so that what it is given is kept. Input [rows, columns] F32; returns the same shape.</summary>
    internal Tensor Activate(Tensor input, Activation activation, string name)
    {
        TensorSpec x = Begin("activation", name).Matrix(input, "input");
        return Emit(name, x.Rows, x.Shape[1], output => new ActivationOp(input, activation, output));
    }

    /// <summary>silu(gate) * up. Both [rows, columns] F32; returns the same shape.</summary>
    internal Tensor SiluProduct(Tensor gate, Tensor up, string name)
    {
        OperandCheck check = Begin("silu_product", name);
        TensorSpec g = check.Matrix(gate, "gate");
        check.SameShape("up", check.Matrix(up, "up"), g.Shape);
        return Emit(name, g.Rows, g.Shape[1], output => new SiluProductOp(gate, up, output));
    }

    /// <summary>left + scale * right; scale * right where <paramref name="left"/> is null. All [rows, columns] F32.</summary>
    internal Tensor Add(Tensor? left, Tensor right, float scale, string name)
    {
        OperandCheck check = Begin("add", name);
        TensorSpec r = check.Matrix(right, "right");
        if (left is { } first)
        {
            TensorSpec l = check.Matrix(first, "left");
            check.SameShape("left", l, r.Shape);
            check.SameRows("left", l, r.Rows);
        }

        return Emit(name, r.Rows, r.Shape[1], output => new AddOp(left, right, scale, output));
    }

    /// <summary>Rotates queries and keys by their position in their sequence. Packed [tokens, (q + 2 kv) x d] F32; starts [tokens] I32; returns the shape of packed.</summary>
    internal Tensor Rotary(Tensor packed, Tensor starts, AttentionGeometry geometry, float ropeTheta, string name)
    {
        OperandCheck check = Begin("rotary", name);
        CheckGeometry(check, 0, geometry);
        TensorSpec x = check.Matrix(packed, "packed");
        check.SameShape("packed", x, new Shape(x.Shape[0], geometry.PackedColumns));
        check.RowIndices(starts, "starts", x.Rows);
        return Emit(name, x.Rows, geometry.PackedColumns, output => new RotaryOp(packed, starts, geometry, ropeTheta, false, output));
    }

    /// <summary>Causal attention within sequences. Packed [tokens, (q + 2 kv) x d] F32, rotated; starts [tokens] I32; returns [tokens, q x d] F32.</summary>
    internal Tensor CausalAttention(Tensor packed, Tensor starts, AttentionGeometry geometry, string name)
    {
        OperandCheck check = Begin("causal_attention", name);
        CheckGeometry(check, 0, geometry);
        TensorSpec x = check.Matrix(packed, "packed");
        check.SameShape("packed", x, new Shape(x.Shape[0], geometry.PackedColumns));
        check.RowIndices(starts, "starts", x.Rows);
        return Emit(name, x.Rows, geometry.QueryColumns, output => new CausalAttentionOp(packed, starts, geometry, output));
    }

    /// <summary>-log softmax(x Headᵀ)[target]. Input [rows, hidden] F32; targets [rows] I32; returns [rows, 1] F32.</summary>
    internal Tensor TokenLoss(Tensor input, LinearWeight head, Tensor targets, string name)
    {
        TensorSpec x = TokenOperands("token_loss", input, head, targets, name);
        return Emit(name, x.Rows, 1, output => new TokenLossOp(input, head, targets, output));
    }

    /// <summary>The loss of each row, and 1 where no token is likelier than the target. Operands as of <see cref="TokenLoss"/>; returns [rows, 2] F32.</summary>
    internal Tensor TokenScores(Tensor input, LinearWeight head, Tensor targets, string name)
    {
        TensorSpec x = TokenOperands("token_scores", input, head, targets, name);
        return Emit(name, x.Rows, 2, output => new TokenScoresOp(input, head, targets, output));
    }

    private TensorSpec TokenOperands(string operation, Tensor input, LinearWeight head, Tensor targets, string name)
    {
        OperandCheck check = Begin(operation, name);
        TensorSpec x = check.Matrix(input, "input");
        TensorSpec w = check.LinearWeight(head, "head");
        check.SameShape("head", w, new Shape(w.Shape[0], x.Shape[1]));
        check.RowIndices(targets, "targets", x.Rows);
        return x;
    }
}

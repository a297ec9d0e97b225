namespace XComposer2.Native.Graph;

public sealed partial class GraphBuilder
{
    /// <summary>activation(x Wᵀ + bias) + residual, and Partial LoRA on visual rows.</summary>
    /// <param name="input">[rows, in] F32.</param>
    /// <param name="weight">[out, in].</param>
    /// <param name="bias">[out].</param>
    /// <param name="activation">Applied before the residual is added.</param>
    /// <param name="residual">[rows, out] F32.</param>
    /// <param name="lora">Needs <paramref name="visualRow"/>.</param>
    /// <param name="visualRow">[rows] I32, negative for text. Not read where <paramref name="lora"/> is null.</param>
    /// <param name="name">Name of the output; operation and number where null.</param>
    /// <returns>[rows, out] F32.</returns>
    public Tensor Linear(
        Tensor input,
        LinearWeight weight,
        Tensor? bias = null,
        Activation activation = Activation.None,
        Tensor? residual = null,
        PartialLora? lora = null,
        Tensor? visualRow = null,
        string? name = null)
    {
        OperandCheck check = Begin("linear", name);
        TensorSpec x = check.Matrix(input, "input");
        TensorSpec w = check.LinearWeight(weight, "weight");
        int outputs = w.Shape[0];
        check.SameShape("weight", w, new Shape(outputs, x.Shape[1]));
        if (bias is { } b)
            check.Weight(b, "bias", [outputs]);
        check.Require(Enum.IsDefined(activation), "activation", "a known activation", activation);
        if (residual is { } r)
        {
            TensorSpec added = check.Matrix(r, "residual");
            check.SameShape("residual", added, new Shape(x.Shape[0], outputs));
            check.SameRows("residual", added, x.Rows);
        }

        check.Lora(lora, "lora", outputs, x.Shape[1]);
        visualRow = VisualRows(check, lora is not null, visualRow, x.Rows);
        Tensor output = Result(check, x.Rows, outputs);
        return Append(new LinearOp(input, weight, bias, activation, residual, lora, visualRow, output));
    }

    /// <summary>The same with a weight of a floating type.</summary>
    public Tensor Linear(
        Tensor input,
        Tensor weight,
        Tensor? bias = null,
        Activation activation = Activation.None,
        Tensor? residual = null,
        PartialLora? lora = null,
        Tensor? visualRow = null,
        string? name = null) => Linear(input, Stored(weight), bias, activation, residual, lora, visualRow, name);

    /// <summary>silu(x Gateᵀ) * (x Upᵀ), each with its own Partial LoRA on visual rows.</summary>
    /// <param name="input">[rows, in] F32.</param>
    /// <param name="gate">[out, in].</param>
    /// <param name="up">As <paramref name="gate"/>: of the same format, or both of floating types.</param>
    /// <param name="gateLora">Needs <paramref name="visualRow"/>.</param>
    /// <param name="upLora">Needs <paramref name="visualRow"/>.</param>
    /// <param name="visualRow">[rows] I32, negative for text. Not read where both LoRAs are null.</param>
    /// <param name="name">Name of the output; operation and number where null.</param>
    /// <returns>[rows, out] F32.</returns>
    public Tensor GatedLinear(
        Tensor input,
        LinearWeight gate,
        LinearWeight up,
        PartialLora? gateLora = null,
        PartialLora? upLora = null,
        Tensor? visualRow = null,
        string? name = null)
    {
        OperandCheck check = Begin("gated_linear", name);
        TensorSpec x = check.Matrix(input, "input");
        TensorSpec g = check.LinearWeight(gate, "gate");
        int outputs = g.Shape[0];
        check.SameShape("gate", g, new Shape(outputs, x.Shape[1]));
        check.SameShape("up", check.LinearWeight(up, "up"), g.Shape);
        check.Require(gate.Format == up.Format || (gate.Format.IsFloat && up.Format.IsFloat), "up", $"the gate's format, {gate.Format}", up.Format);
        check.Lora(gateLora, "gateLora", outputs, x.Shape[1]);
        check.Lora(upLora, "upLora", outputs, x.Shape[1]);
        visualRow = VisualRows(check, gateLora is not null || upLora is not null, visualRow, x.Rows);
        Tensor output = Result(check, x.Rows, outputs);
        return Append(new GatedLinearOp(input, gate, up, gateLora, upLora, visualRow, output));
    }

    /// <summary>The same with weights of floating types.</summary>
    public Tensor GatedLinear(
        Tensor input,
        Tensor gate,
        Tensor up,
        PartialLora? gateLora = null,
        PartialLora? upLora = null,
        Tensor? visualRow = null,
        string? name = null) => GatedLinear(input, Stored(gate), Stored(up), gateLora, upLora, visualRow, name);

    /// <summary>x / sqrt(mean(x²) + eps) * weight. Input [rows, columns] F32, weight [columns]; returns [rows, columns] F32.</summary>
    public Tensor RmsNorm(Tensor input, Tensor weight, float epsilon, string? name = null)
    {
        OperandCheck check = Begin("rms_norm", name);
        TensorSpec x = check.Matrix(input, "input");
        check.Weight(weight, "weight", [x.Shape[1]]);
        check.Require(float.IsFinite(epsilon) && epsilon >= 0, "epsilon", "a finite number of 0 or more", epsilon);
        Tensor output = Result(check, x.Rows, x.Shape[1]);
        return Append(new RmsNormOp(input, weight, epsilon, output));
    }

    /// <summary>(x - mean) / sqrt(variance + eps) * weight + bias. Input [rows, columns] F32, weight and bias [columns]; returns [rows, columns] F32.</summary>
    public Tensor LayerNorm(Tensor input, Tensor weight, Tensor bias, float epsilon, string? name = null)
    {
        OperandCheck check = Begin("layer_norm", name);
        TensorSpec x = check.Matrix(input, "input");
        check.Weight(weight, "weight", [x.Shape[1]]);
        check.Weight(bias, "bias", [x.Shape[1]]);
        check.Require(float.IsFinite(epsilon) && epsilon >= 0, "epsilon", "a finite number of 0 or more", epsilon);
        Tensor output = Result(check, x.Rows, x.Shape[1]);
        return Append(new LayerNormOp(input, weight, bias, epsilon, output));
    }

    /// <summary>Row i of the result is row rows[i] of the input. Input [n, columns] F32, rows [m] I32; returns [m, columns] F32, counted as <paramref name="rows"/> is.</summary>
    public Tensor SelectRows(Tensor input, Tensor rows, string? name = null)
    {
        OperandCheck check = Begin("select_rows", name);
        TensorSpec x = check.Matrix(input, "input");
        TensorSpec selected = check.Activation(rows, "rows", 1, DType.I32);
        Tensor output = Result(check, selected.Rows, x.Shape[1]);
        return Append(new SelectRowsOp(input, rows, output));
    }

    private static Tensor? VisualRows(OperandCheck check, bool needed, Tensor? visualRow, RowExtent rows)
    {
        if (visualRow is { } index)
            check.RowIndices(index, "visualRow", rows);
        check.Require(!needed || visualRow is not null, "visualRow", "the visual row of each row, because there is a Partial LoRA", "null");
        return needed ? visualRow : null;
    }
}

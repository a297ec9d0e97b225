using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Scale * (g W) + Addend: the gradient of a linear's input. Gradient [rows, out]; Weight [out, in]; Addend and Output [rows, in], F32.
/// Where there is VisualRow [rows] I32, rows for which it is negative have no product: they are Addend's, or zero.</summary>
public sealed record LinearInputGradientOp(Tensor Gradient, LinearWeight Weight, float Scale, Tensor? VisualRow, Tensor? Addend, Tensor Output) : Operation(Output)
{
    public override string Name => "linear_input_gradient";

    public override ImmutableArray<LinearWeight> LinearWeights => [Weight];

    public override ImmutableArray<Tensor> Inputs => InputsOf(Gradient, LinearWeights, VisualRow, Addend);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with
    {
        Gradient = input(Gradient), Weight = Weight.Rename(input), VisualRow = Renamed(VisualRow, input), Addend = Renamed(Addend, input), Output = output(Output),
    };
}

/// <summary>Adds Scale * gᵀ x to the gradient of a linear's weight, over all rows or those whose VisualRow is not negative.
/// Gradient [rows, out]; Input [rows, in]; Output [out, in], F32.</summary>
public sealed record LinearWeightGradientOp(Tensor Gradient, Tensor Input, float Scale, Tensor? VisualRow, Tensor Output) : Operation(Output)
{
    public override string Name => "linear_weight_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient, Input, VisualRow);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Gradient = input(Gradient), Input = input(Input), VisualRow = Renamed(VisualRow, input), Output = output(Output) };
}

/// <summary>Adds to each row of Output the rows of Gradient that begin at its number and follow each other Period rows apart: a bias is one row with period 1,
/// a class token one row with the rows of a picture as period, a position table as many rows as its period. Gradient [rows, columns]; Output [count, columns] or [columns], F32.</summary>
public sealed record RowSumGradientOp(Tensor Gradient, int Period, Tensor Output) : Operation(Output)
{
    public override string Name => "row_sum_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with { Gradient = input(Gradient), Output = output(Output) };
}

/// <summary>g * activation'(x). All [rows, columns] F32; Input is what the activation was given.</summary>
public sealed record ActivationGradientOp(Tensor Gradient, Tensor Input, Activation Activation, Tensor Output) : Operation(Output)
{
    public override string Name => "activation_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient, Input);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Gradient = input(Gradient), Input = input(Input), Output = output(Output) };
}

/// <summary>The gradient of silu(gate) * up by its gate, g * up * silu'(gate), or by Up, g * silu(gate). All [rows, columns] F32.</summary>
public sealed record SiluProductGradientOp(Tensor Gradient, Tensor Gate, Tensor? Up, Tensor Output) : Operation(Output)
{
    public override string Name => Up is null ? "silu_product_up_gradient" : "silu_product_gate_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient, Gate, Up);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Gradient = input(Gradient), Gate = input(Gate), Up = Renamed(Up, input), Output = output(Output) };
}

/// <summary>The gradient of a norm's input, + Addend. Gradient, Input, Addend and Output [rows, columns] F32; Weight [columns]. RMS norm, or layer norm where Centred.</summary>
public sealed record NormInputGradientOp(Tensor Gradient, Tensor Input, Tensor Weight, float Epsilon, bool Centred, Tensor? Addend, Tensor Output) : Operation(Output)
{
    public override string Name => Centred ? "layer_norm_input_gradient" : "rms_norm_input_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient, Input, Weight, Addend);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with
    {
        Gradient = input(Gradient), Input = input(Input), Weight = input(Weight), Addend = Renamed(Addend, input), Output = output(Output),
    };
}

/// <summary>Adds to the gradient of a norm's weight. Gradient and Input [rows, columns]; Output [columns], F32.</summary>
public sealed record NormWeightGradientOp(Tensor Gradient, Tensor Input, float Epsilon, bool Centred, Tensor Output) : Operation(Output)
{
    public override string Name => Centred ? "layer_norm_weight_gradient" : "rms_norm_weight_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient, Input);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Gradient = input(Gradient), Input = input(Input), Output = output(Output) };
}

/// <summary>Row Rows[i] of Output receives the sum of the rows i of Gradient that name it; negative numbers name none, and other rows are zero, or what they were
/// where Output is the gradient of a weight. Where there is Unless [rows] I32, rows for which it is not negative are left out.
/// Gradient [rows, columns] F32; Rows [rows] I32; Output [any, columns] F32.</summary>
public sealed record ScatterRowsOp(Tensor Gradient, Tensor Rows, Tensor? Unless, Tensor Output) : Operation(Output)
{
    public override string Name => "scatter_rows";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient, Rows, Unless);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Gradient = input(Gradient), Rows = input(Rows), Unless = Renamed(Unless, input), Output = output(Output) };
}

/// <summary>The gradient of causal attention. Gradient [tokens, q x d]; Packed and Output [tokens, (q + 2 kv) x d], F32; Starts [tokens] I32.</summary>
public sealed record CausalAttentionGradientOp(Tensor Gradient, Tensor Packed, Tensor Starts, AttentionGeometry Geometry, Tensor Output) : Operation(Output)
{
    public override string Name => "causal_attention_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient, Packed, Starts);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Gradient = input(Gradient), Packed = input(Packed), Starts = input(Starts), Output = output(Output) };
}

/// <summary>The gradients of attention within pictures: of queries, keys and values side by side. Gradient, Query, Key and Value [images x tokens, width]; Output [images x tokens, 3 width], F32.</summary>
public sealed record VisionAttentionGradientOp(Tensor Gradient, Tensor Query, Tensor Key, Tensor Value, int TokensPerImage, int Heads, Tensor Output) : Operation(Output)
{
    public override string Name => "vision_attention_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient, Query, Key, Value);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with
    {
        Gradient = input(Gradient), Query = input(Query), Key = input(Key), Value = input(Value), Output = output(Output),
    };
}

/// <summary>Columns First and on of Input, as many as Output has. Both F32 with equal rows.</summary>
public sealed record SliceColumnsOp(Tensor Input, int First, Tensor Output) : Operation(Output)
{
    public override string Name => "slice_columns";

    public override ImmutableArray<Tensor> Inputs => Present(Input);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with { Input = input(Input), Output = output(Output) };
}

/// <summary>The gradient of dropping class tokens: each picture's first row is zero. Gradient [images x patches, width]; Output [images x (patches + 1), width], F32.</summary>
public sealed record SelectPatchesGradientOp(Tensor Gradient, int TokensPerImage, Tensor Output) : Operation(Output)
{
    public override string Name => "select_patches_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with { Gradient = input(Gradient), Output = output(Output) };
}

/// <summary>Adds to the gradient of the patches' convolution. Gradient [images x (patches + 1), width]; Pixels [images, 3, S, S]; Output [width, 3, p, p], F32.</summary>
public sealed record PatchWeightGradientOp(Tensor Gradient, Tensor Pixels, Tensor Output) : Operation(Output)
{
    public override string Name => "patch_weight_gradient";

    public override ImmutableArray<Tensor> Inputs => Present(Gradient, Pixels);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Gradient = input(Gradient), Pixels = input(Pixels), Output = output(Output) };
}

/// <summary>The gradient of token losses by their rows, or, where Output is the gradient of a weight, by the head, to which it is added.
/// Gradient [logits, 1], a factor for each loss; Input [logits, hidden]; Head [vocabulary, hidden]; Targets [logits] I32; Output as Input or Head, F32.</summary>
public sealed record TokenLossGradientOp(Tensor Gradient, Tensor Input, LinearWeight Head, Tensor Targets, bool ByHead, Tensor Output) : Operation(Output)
{
    public override string Name => ByHead ? "token_loss_head_gradient" : "token_loss_input_gradient";

    public override ImmutableArray<LinearWeight> LinearWeights => [Head];

    public override ImmutableArray<Tensor> Inputs => InputsOf(Input, LinearWeights, Gradient, Targets);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with
    {
        Gradient = input(Gradient), Input = input(Input), Head = Head.Rename(input), Targets = input(Targets), Output = output(Output),
    };
}

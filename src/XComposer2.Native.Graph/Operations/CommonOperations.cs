using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>activation(x Wᵀ + bias) + residual, and Partial LoRA before the activation on rows whose VisualRow is not negative.
/// Input [rows, in] F32; Weight [out, in]; Bias [out]; Residual [rows, out] F32; VisualRow [rows] I32.</summary>
public sealed record LinearOp(Tensor Input, LinearWeight Weight, Tensor? Bias, Activation Activation, Tensor? Residual, PartialLora? Lora, Tensor? VisualRow, Tensor Output) : Operation(Output)
{
    public override string Name => "linear";

    public override ImmutableArray<Tensor> Inputs => InputsOf(Input, LinearWeights, Bias, Residual, VisualRow);

    public override ImmutableArray<LinearWeight> LinearWeights => [Weight, .. PartialLora.MatricesOf(Lora)];

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with
    {
        Input = input(Input),
        Weight = Weight.Rename(input),
        Bias = Renamed(Bias, input),
        Residual = Renamed(Residual, input),
        Lora = Lora?.Rename(input),
        VisualRow = Renamed(VisualRow, input),
        Output = output(Output),
    };
}

/// <summary>silu(x Gateᵀ) * (x Upᵀ), each with its own Partial LoRA on visual rows. Input [rows, in]; Gate and Up [out, in]; Output [rows, out] F32.</summary>
public sealed record GatedLinearOp(Tensor Input, LinearWeight Gate, LinearWeight Up, PartialLora? GateLora, PartialLora? UpLora, Tensor? VisualRow, Tensor Output) : Operation(Output)
{
    public override string Name => "gated_linear";

    public override ImmutableArray<Tensor> Inputs => InputsOf(Input, LinearWeights, VisualRow);

    public override ImmutableArray<LinearWeight> LinearWeights => [Gate, Up, .. PartialLora.MatricesOf(GateLora), .. PartialLora.MatricesOf(UpLora)];

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with
    {
        Input = input(Input),
        Gate = Gate.Rename(input),
        Up = Up.Rename(input),
        GateLora = GateLora?.Rename(input),
        UpLora = UpLora?.Rename(input),
        VisualRow = Renamed(VisualRow, input),
        Output = output(Output),
    };
}

/// <summary>Low-rank addition for visual rows only: y += scale * (x Aᵀ) Bᵀ.</summary>
/// <param name="A">[rank, in].</param>
/// <param name="B">[out, rank].</param>
/// <param name="Scale">alpha / rank.</param>
public sealed record PartialLora(LinearWeight A, LinearWeight B, float Scale)
{
    internal static ImmutableArray<LinearWeight> MatricesOf(PartialLora? lora) => lora is null ? [] : [lora.A, lora.B];

    internal PartialLora Rename(Func<Tensor, Tensor> input) => this with { A = A.Rename(input), B = B.Rename(input) };
}

public enum Activation : byte
{
    None,

    /// <summary>x * sigmoid(1.702 x), CLIP's.</summary>
    QuickGelu,

    /// <summary>Exact: x * (1 + erf(x / sqrt 2)) / 2, the projector's.</summary>
    Gelu,
}

/// <summary>x / sqrt(mean(x²) + eps) * weight, per row. Input [rows, columns] F32.</summary>
public sealed record RmsNormOp(Tensor Input, Tensor Weight, float Epsilon, Tensor Output) : Operation(Output)
{
    public override string Name => "rms_norm";

    public override ImmutableArray<Tensor> Inputs => Present(Input, Weight);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => 
        this with { Input = input(Input), Weight = input(Weight), Output = output(Output) };
}

/// <summary>(x - mean) / sqrt(variance + eps) * weight + bias, per row. Input [rows, columns] F32.</summary>
public sealed record LayerNormOp(Tensor Input, Tensor Weight, Tensor Bias, float Epsilon, Tensor Output) : Operation(Output)
{
    public override string Name => "layer_norm";

    public override ImmutableArray<Tensor> Inputs => Present(Input, Weight, Bias);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => 
        this with { Input = input(Input), Weight = input(Weight), Bias = input(Bias), Output = output(Output) };
}

/// <summary>Row i of the output is row Rows[i] of the input. Input [tokens, columns] F32; Rows [logits] I32; Output [logits, columns] F32.</summary>
public sealed record SelectRowsOp(Tensor Input, Tensor Rows, Tensor Output) : Operation(Output)
{
    public override string Name => "select_rows";

    public override ImmutableArray<Tensor> Inputs => Present(Input, Rows);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => 
        this with { Input = input(Input), Rows = input(Rows), Output = output(Output) };
}

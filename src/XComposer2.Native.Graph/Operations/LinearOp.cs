using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>activation(x Wᵀ + bias) + residual, and Partial LoRA before the activation on rows whose VisualRow is not negative.
/// Input [rows, in] F32; Weight [out, in] of any floating type, or I8 with WeightScale [out] F32, which multiplies the product's columns; Bias [out]; Residual [rows, out] F32; VisualRow [rows] I32.</summary>
public sealed record LinearOp(Tensor Input, Tensor Weight, Tensor? WeightScale, Tensor? Bias, Activation Activation, Tensor? Residual, PartialLora? Lora, Tensor? VisualRow, Tensor Output) : Operation(Output)
{
    public override string Name => "linear";

    public override ImmutableArray<Tensor> Inputs => Present(Input, Weight, WeightScale, Bias, Residual, Lora?.A, Lora?.B, VisualRow);
}

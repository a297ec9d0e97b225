using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>(x - mean) / sqrt(variance + eps) * weight + bias, per row. Input [rows, columns] F32.</summary>
public sealed record LayerNormOp(Tensor Input, Tensor Weight, Tensor Bias, float Epsilon, Tensor Output) : Operation(Output)
{
    public override string Name => "layer_norm";

    public override ImmutableArray<Tensor> Inputs => Present(Input, Weight, Bias);
}

using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>x / sqrt(mean(x²) + eps) * weight, per row. Input [rows, columns] F32.</summary>
public sealed record RmsNormOp(Tensor Input, Tensor Weight, float Epsilon, Tensor Output) : Operation(Output)
{
    public override string Name => "rms_norm";

    public override ImmutableArray<Tensor> Inputs => Present(Input, Weight);
}

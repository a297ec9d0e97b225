using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>silu(x Gateᵀ) * (x Upᵀ), each with its own Partial LoRA on visual rows. Input [rows, in]; Gate and Up [out, in], I8 where they have scales [out] F32; Output [rows, out] F32.</summary>
public sealed record GatedLinearOp(Tensor Input, Tensor Gate, Tensor? GateScale, Tensor Up, Tensor? UpScale, PartialLora? GateLora, PartialLora? UpLora, Tensor? VisualRow, Tensor Output) : Operation(Output)
{
    public override string Name => "gated_linear";

    public override ImmutableArray<Tensor> Inputs => Present(Input, Gate, GateScale, Up, UpScale, GateLora?.A, GateLora?.B, UpLora?.A, UpLora?.B, VisualRow);
}

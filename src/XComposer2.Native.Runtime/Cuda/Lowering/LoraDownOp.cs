using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>T = scale * x Aᵀ on visual rows, zero on text rows. Input [rows, in]; A [rank, in]; Output [rows, rank].</summary>
internal sealed record LoraDownOp(Tensor Input, CudaWeight A, int Rank, float Scale, Tensor VisualRow, Tensor Output) : Operation(Output)
{
    public override string Name => "lora_down";

    public override ImmutableArray<Tensor> Inputs => [Input, VisualRow];
}

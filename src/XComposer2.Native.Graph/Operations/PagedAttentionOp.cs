using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Causal softmax attention of each row to its own sequence in the paged cache (earlier tokens and itself), grouped queries.
/// Query and Output [tokens, q x d] F32.</summary>
public sealed record PagedAttentionOp(Tensor Query, int Layer, AttentionGeometry Geometry, Tensor Output) : Operation(Output)
{
    public override string Name => "paged_attention";

    public override ImmutableArray<Tensor> Inputs => Present(Query);
}

using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Splits the packed projection, rotates queries and keys (half-split) by their positions, and appends keys and values of layer Layer to the paged cache.
/// Packed [tokens, (q + 2 kv) x d] F32; Output: queries [tokens, q x d] F32. Positions and pages come with the step, not as tensors.</summary>
public sealed record RopeKvAppendOp(Tensor Packed, int Layer, AttentionGeometry Geometry, float RopeTheta, Tensor Output) : Operation(Output)
{
    public override string Name => "rope_kv_append";

    public override ImmutableArray<Tensor> Inputs => Present(Packed);
}

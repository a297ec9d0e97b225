using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Row t is Visual[VisualRow[t]] where that is not negative, else Table[Ids[t]].
/// Ids [tokens] I32; VisualRow [tokens] I32; Visual [visual rows, hidden] F32, null in decode; Table [vocabulary, hidden], of a floating type or int8 by rows; Output [tokens, hidden] F32.</summary>
public sealed record EmbedTokensOp(Tensor Ids, LinearWeight Table, Tensor? Visual, Tensor? VisualRow, Tensor Output) : Operation(Output)
{
    public override string Name => "embed_tokens";

    public override ImmutableArray<LinearWeight> LinearWeights => [Table];

    public override ImmutableArray<Tensor> Inputs => Present(Ids, Table.Elements, Table.Scales, Visual, VisualRow);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with
    {
        Ids = input(Ids), Table = Table.Rename(input), Visual = Renamed(Visual, input), VisualRow = Renamed(VisualRow, input), Output = output(Output),
    };
}

/// <summary>Splits the packed projection, rotates queries and keys (half-split) by their positions, and appends keys and values of layer Layer to the paged cache.
/// Packed [tokens, (q + 2 kv) x d] F32; Output: queries [tokens, q x d] F32. Positions and pages come with the step, not as tensors.</summary>
public sealed record RopeKvAppendOp(Tensor Packed, int Layer, AttentionGeometry Geometry, float RopeTheta, Tensor Output) : Operation(Output)
{
    public override string Name => "rope_kv_append";

    public override ImmutableArray<Tensor> Inputs => Present(Packed);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => 
        this with { Packed = input(Packed), Output = output(Output) };
}

/// <summary>Causal softmax attention of each row to its own sequence in the paged cache (earlier tokens and itself), grouped queries.
/// Query and Output [tokens, q x d] F32.</summary>
public sealed record PagedAttentionOp(Tensor Query, int Layer, AttentionGeometry Geometry, Tensor Output) : Operation(Output)
{
    public override string Name => "paged_attention";

    public override ImmutableArray<Tensor> Inputs => Present(Query);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => 
        this with { Query = input(Query), Output = output(Output) };
}

/// <summary>Head layout of a decoder layer. wqkv packs, per key/value head: its query heads, then the key, then the value.</summary>
public readonly record struct AttentionGeometry(int QueryHeads, int KeyValueHeads, int HeadSize)
{
    /// <summary>Query heads of each key/value head; 0 for no heads at all.</summary>
    public int GroupSize => KeyValueHeads == 0 ? 0 : QueryHeads / KeyValueHeads;

    /// <summary>Columns of the packed projection: (query heads + 2 x key/value heads) x head size.</summary>
    public int PackedColumns => (QueryHeads + (2 * KeyValueHeads)) * HeadSize;

    public int QueryColumns => QueryHeads * HeadSize;

    /// <summary>Columns of the keys (or of the values) of one token.</summary>
    public int KeyValueColumns => KeyValueHeads * HeadSize;
}

using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Row t is Visual[VisualRow[t]] where that is not negative, else Table[Ids[t]].
/// Ids [tokens] I32; VisualRow [tokens] I32; Visual [visual rows, hidden] F32, null in decode; Table [vocabulary, hidden]; Output [tokens, hidden] F32.</summary>
public sealed record EmbedTokensOp(Tensor Ids, Tensor Table, Tensor? Visual, Tensor? VisualRow, Tensor Output) : Operation(Output)
{
    public override string Name => "embed_tokens";

    public override ImmutableArray<Tensor> Inputs => Present(Ids, Table, Visual, VisualRow);
}

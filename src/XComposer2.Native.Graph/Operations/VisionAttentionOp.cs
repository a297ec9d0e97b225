using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Softmax attention of every token to every token of the same picture, no mask. Query, Key, Value and Output [images x tokens, heads x head size] F32.</summary>
public sealed record VisionAttentionOp(Tensor Query, Tensor Key, Tensor Value, int TokensPerImage, int Heads, Tensor Output) : Operation(Output)
{
    public override string Name => "vision_attention";

    public override ImmutableArray<Tensor> Inputs => Present(Query, Key, Value);
}

using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Patches through a stride-p convolution, class token first, position table added.
/// Pixels [images, 3, S, S] F32; Weight [width, 3, p, p]; ClassToken [width]; Positions [patches + 1, width]; Output [images x (patches + 1), width] F32.</summary>
public sealed record PatchEmbeddingOp(Tensor Pixels, Tensor Weight, Tensor ClassToken, Tensor Positions, Tensor Output) : Operation(Output)
{
    public override string Name => "patch_embedding";

    public override ImmutableArray<Tensor> Inputs => Present(Pixels, Weight, ClassToken, Positions);
}

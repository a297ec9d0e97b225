using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Drops the class token of each picture: [images x (patches + 1), width] to [images x patches, width].</summary>
public sealed record SelectPatchesOp(Tensor Input, int TokensPerImage, Tensor Output) : Operation(Output)
{
    public override string Name => "select_patches";

    public override ImmutableArray<Tensor> Inputs => Present(Input);
}

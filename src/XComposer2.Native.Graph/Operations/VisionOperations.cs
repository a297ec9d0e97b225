using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Patches through a stride-p convolution, class token first, position table added.
/// Pixels [images, 3, S, S] F32; Weight [width, 3, p, p]; ClassToken [width]; Positions [patches + 1, width]; Output [images x (patches + 1), width] F32.</summary>
public sealed record PatchEmbeddingOp(Tensor Pixels, Tensor Weight, Tensor ClassToken, Tensor Positions, Tensor Output) : Operation(Output)
{
    public override string Name => "patch_embedding";

    public override ImmutableArray<Tensor> Inputs => Present(Pixels, Weight, ClassToken, Positions);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with
    {
        Pixels = input(Pixels), Weight = input(Weight), ClassToken = input(ClassToken), Positions = input(Positions), Output = output(Output),
    };
}

/// <summary>Softmax attention of every token to every token of the same picture, no mask. Query, Key, Value and Output [images x tokens, heads x head size] F32.</summary>
public sealed record VisionAttentionOp(Tensor Query, Tensor Key, Tensor Value, int TokensPerImage, int Heads, Tensor Output) : Operation(Output)
{
    public override string Name => "vision_attention";

    public override ImmutableArray<Tensor> Inputs => Present(Query, Key, Value);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => 
        this with { Query = input(Query), Key = input(Key), Value = input(Value), Output = output(Output) };
}

/// <summary>Drops the class token of each picture: [images x (patches + 1), width] to [images x patches, width].</summary>
public sealed record SelectPatchesOp(Tensor Input, int TokensPerImage, Tensor Output) : Operation(Output)
{
    public override string Name => "select_patches";

    public override ImmutableArray<Tensor> Inputs => Present(Input);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => 
        this with { Input = input(Input), Output = output(Output) };
}

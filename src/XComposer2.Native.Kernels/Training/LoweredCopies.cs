using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>What <c>training/pointwise.cu</c> computes of each element, as that file numbers them.</summary>
public enum PointwiseFunction : byte
{
    /// <summary>scale * a.</summary>
    Scale,

    /// <summary>a + scale * b.</summary>
    ScaledSum,
    QuickGelu,
    Gelu,

    /// <summary>a * f'(b).</summary>
    QuickGeluGradient,

    /// <summary>a * f'(b).</summary>
    GeluGradient,

    /// <summary>silu(a) * b.</summary>
    SiluProduct,

    /// <summary>a * silu(b).</summary>
    SiluUpGradient,

    /// <summary>a * c * silu'(b).</summary>
    SiluGateGradient,

    /// <summary>a where it is kept, times scale.</summary>
    Dropout,
}

/// <summary>A function of up to three matrices, element by element, and for dropout of a seed [1] I32.</summary>
/// <param name="Function">Which.</param>
/// <param name="A">[rows, columns] F32, as B, C and Output.</param>
/// <param name="B">Null where the function has none.</param>
/// <param name="C">Likewise.</param>
/// <param name="Seed">Of dropout.</param>
/// <param name="Scale">Of the function; the rate of dropout.</param>
/// <param name="Stream">Of dropout: the operation's number.</param>
/// <param name="Output">The result.</param>
public sealed record PointwiseOp(PointwiseFunction Function, Tensor A, Tensor? B, Tensor? C, Tensor? Seed, float Scale, int Stream, Tensor Output) : Operation(Output)
{
    public override string Name => "pointwise";

    public override ImmutableArray<Tensor> Inputs => Lowered.Present(A, B, C, Seed);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return this with { A = input(A), B = Lowered.Renamed(B, input), C = Lowered.Renamed(C, input), Seed = Lowered.Renamed(Seed, input), Output = output(Output) };
    }
}

/// <summary>What <c>training/rearrange.cu</c> copies, as that file numbers them.</summary>
public enum Rearrangement : byte
{
    /// <summary>Columns from <see cref="RearrangeOp.First"/> on.</summary>
    SliceColumns,

    /// <summary>Rows of patches, with a row of zeros before each picture's.</summary>
    InsertClassTokens,

    /// <summary>The pixels of each patch in a row, with a row of zeros before each picture's.</summary>
    PatchColumns,
}

/// <summary>Elements in another order.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Input">As the kind says.</param>
/// <param name="First">Of columns.</param>
/// <param name="TokensPerImage">Of a picture, its class token included.</param>
/// <param name="PatchSize">Pixels along a side of a patch.</param>
/// <param name="Output">[rows, columns].</param>
public sealed record RearrangeOp(Rearrangement Kind, Tensor Input, int First, int TokensPerImage, int PatchSize, Tensor Output) : Operation(Output)
{
    public override string Name => "rearrange";

    public override ImmutableArray<Tensor> Inputs => [Input];

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return this with { Input = input(Input), Output = output(Output) };
    }
}

using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>activation(x), element by element. Input and Output [rows, columns] F32. A linear of a training graph keeps what its activation is given.</summary>
public sealed record ActivationOp(Tensor Input, Activation Activation, Tensor Output) : Operation(Output)
{
    public override string Name => "activation";

    public override ImmutableArray<Tensor> Inputs => Present(Input);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with { Input = input(Input), Output = output(Output) };
}

/// <summary>silu(gate) * up, element by element. All [rows, columns] F32.</summary>
public sealed record SiluProductOp(Tensor Gate, Tensor Up, Tensor Output) : Operation(Output)
{
    public override string Name => "silu_product";

    public override ImmutableArray<Tensor> Inputs => Present(Gate, Up);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Gate = input(Gate), Up = input(Up), Output = output(Output) };
}

/// <summary>Left + Scale * Right, element by element; Scale * Right where there is no Left. All [rows, columns] F32.</summary>
public sealed record AddOp(Tensor? Left, Tensor Right, float Scale, Tensor Output) : Operation(Output)
{
    public override string Name => "add";

    public override ImmutableArray<Tensor> Inputs => Present(Left, Right);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Left = Renamed(Left, input), Right = input(Right), Output = output(Output) };
}

/// <summary>Drops elements by chance and scales the others by 1 / (1 - Rate), so that sums stay what they are on average. Which ones depends on Seed [1] I32, Stream and
/// the element's place alone, so a gradient goes through the same operation. Input and Output [rows, columns] F32.</summary>
public sealed record DropoutOp(Tensor Input, Tensor Seed, int Stream, float Rate, Tensor Output) : Operation(Output)
{
    public override string Name => "dropout";

    public override ImmutableArray<Tensor> Inputs => Present(Input, Seed);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) => this with { Input = input(Input), Seed = input(Seed), Output = output(Output) };
}

/// <summary>Rotates queries and keys (half-split) of a packed projection by their position, row - Starts[row], and copies the values; backwards where Inverse.
/// Packed and Output [tokens, (q + 2 kv) x d] F32: sequences one behind the other, each from its first token on. Starts [tokens] I32: the first row of each row's sequence.</summary>
public sealed record RotaryOp(Tensor Packed, Tensor Starts, AttentionGeometry Geometry, float RopeTheta, bool Inverse, Tensor Output) : Operation(Output)
{
    public override string Name => "rotary";

    public override ImmutableArray<Tensor> Inputs => Present(Packed, Starts);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Packed = input(Packed), Starts = input(Starts), Output = output(Output) };
}

/// <summary>Causal softmax attention of each row to the rows of its sequence, from Starts[row] to itself, grouped queries. Packed [tokens, (q + 2 kv) x d] F32, rotated;
/// Starts [tokens] I32, never falling: the first row of each row's sequence; Output [tokens, q x d] F32.</summary>
public sealed record CausalAttentionOp(Tensor Packed, Tensor Starts, AttentionGeometry Geometry, Tensor Output) : Operation(Output)
{
    public override string Name => "causal_attention";

    public override ImmutableArray<Tensor> Inputs => Present(Packed, Starts);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Packed = input(Packed), Starts = input(Starts), Output = output(Output) };
}

/// <summary>-log softmax(x Headᵀ)[target] of each row. The logits exist for a few rows at a time, in scratch.
/// Input [logits, hidden] F32; Head [vocabulary, hidden]; Targets [logits] I32; Output [logits, 1] F32.</summary>
public sealed record TokenLossOp(Tensor Input, LinearWeight Head, Tensor Targets, Tensor Output) : Operation(Output)
{
    public override string Name => "token_loss";

    public override ImmutableArray<LinearWeight> LinearWeights => [Head];

    public override ImmutableArray<Tensor> Inputs => InputsOf(Input, LinearWeights, Targets);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Input = input(Input), Head = Head.Rename(input), Targets = input(Targets), Output = output(Output) };
}

/// <summary>Of each row the loss, as <see cref="TokenLossOp"/>, and 1 where no token is likelier than the target, otherwise 0. Operands as there; Output [logits, 2] F32.</summary>
public sealed record TokenScoresOp(Tensor Input, LinearWeight Head, Tensor Targets, Tensor Output) : Operation(Output)
{
    public override string Name => "token_scores";

    public override ImmutableArray<LinearWeight> LinearWeights => [Head];

    public override ImmutableArray<Tensor> Inputs => InputsOf(Input, LinearWeights, Targets);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) =>
        this with { Input = input(Input), Head = Head.Rename(input), Targets = input(Targets), Output = output(Output) };
}

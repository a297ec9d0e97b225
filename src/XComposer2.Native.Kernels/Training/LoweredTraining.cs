using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The three products of a linear: x Wᵀ, its gradient by the input, g W, and by the weight, gᵀ x.</summary>
public enum ProductForm : byte
{
    Linear,
    InputGradient,
    WeightGradient,
}

/// <summary>A part of the rows of a token loss, whose logits exist together.</summary>
/// <param name="First">Its first row.</param>
/// <param name="Rows">At most so many.</param>
public readonly record struct RowPiece(int First, int Rows)
{
    /// <summary>Rows of the piece that there are among so many.</summary>
    public int Within(int rows) => Math.Clamp(rows - First, 0, Rows);
}

/// <summary>Scale * (Left Right) + Bias + Addend, in the form's order; or, where it accumulates, added to what the output holds. Where there is VisualRow, only rows count for which it is not
/// negative: others are Addend's, or zero, or stay as they are. A piece is of the rows of Left (a linear), of Output (by the input), of Right (by the weight).</summary>
/// <param name="Form">Which product.</param>
/// <param name="Operand">BF16 for tensor cores, or F32.</param>
/// <param name="Left">x or g, F32.</param>
/// <param name="Right">The weight, or x.</param>
/// <param name="Bias">[columns] F32.</param>
/// <param name="Addend">As the output.</param>
/// <param name="VisualRow">I32, for each row of Left.</param>
/// <param name="Scale">Of the product.</param>
/// <param name="Accumulates">The output is added to.</param>
/// <param name="Output">F32.</param>
/// <param name="Piece">Null for all rows.</param>
public sealed record MatrixProductOp(
    ProductForm Form, DType Operand, Tensor Left, Tensor Right, Tensor? Bias, Tensor? Addend, Tensor? VisualRow, float Scale, bool Accumulates, Tensor Output, RowPiece? Piece = null)
    : Operation(Output)
{
    public override string Name => "matrix_product";

    public override ImmutableArray<Tensor> Inputs => Lowered.Present(Left, Right, Bias, Addend, VisualRow);

    public override bool ContinuesOutput => Accumulates || (Form == ProductForm.InputGradient && Piece is { First: > 0 });

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return this with
        {
            Left = input(Left), Right = input(Right), Bias = Lowered.Renamed(Bias, input), Addend = Lowered.Renamed(Addend, input), VisualRow = Lowered.Renamed(VisualRow, input),
            Output = output(Output),
        };
    }
}

/// <summary>Heads of an attention without a cache, and what a row sees: its sequence up to itself, or its picture.</summary>
/// <param name="Geometry">Heads.</param>
/// <param name="TokensPerImage">0 where attention is causal.</param>
public readonly record struct TrainedAttention(AttentionGeometry Geometry, int TokensPerImage)
{
    public bool IsCausal => TokensPerImage == 0;
}

/// <summary>Softmax attention, or, where there is Gradient, what its backward pass needs of each row and head: the log of the sum of weights, and the sum of gradient * result.</summary>
/// <param name="Query">The packed projection, rotated, or the queries.</param>
/// <param name="Key">Null where it is packed.</param>
/// <param name="Value">Likewise.</param>
/// <param name="Starts">First row of each row's sequence; null within pictures.</param>
/// <param name="Gradient">Of the result.</param>
/// <param name="Attention">Heads.</param>
/// <param name="Operand">BF16 for tensor cores, or F32.</param>
/// <param name="Output">[rows, heads x head size]; statistics are [rows, heads x 2].</param>
public sealed record AttentionRowsOp(
    Tensor Query, Tensor? Key, Tensor? Value, Tensor? Starts, Tensor? Gradient, TrainedAttention Attention, DType Operand, Tensor Output) : Operation(Output)
{
    public override string Name => "attention_rows";

    public override ImmutableArray<Tensor> Inputs => Lowered.Present(Query, Key, Value, Starts, Gradient);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return this with
        {
            Query = input(Query), Key = Lowered.Renamed(Key, input), Value = Lowered.Renamed(Value, input), Starts = Lowered.Renamed(Starts, input),
            Gradient = Lowered.Renamed(Gradient, input), Output = output(Output),
        };
    }
}

/// <summary>The gradients of attention by queries, keys and values, packed as the projection is, or side by side.</summary>
/// <param name="Rows">The attention, with the gradient of its result; its output is the statistics.</param>
/// <param name="Output">[rows, (q + 2 kv) x d], or [rows, 3 width].</param>
public sealed record AttentionGradientOp(AttentionRowsOp Rows, Tensor Output) : Operation(Output)
{
    public override string Name => "attention_gradient";

    public override ImmutableArray<Tensor> Inputs => [.. Rows.Inputs, Rows.Output];

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        return new AttentionGradientOp((AttentionRowsOp)Rows.Rename(input, input), output(Output));
    }
}

/// <summary>Mean and factor of each row of a norm's input. Output [rows, 2].</summary>
public sealed record RowMomentsOp(Tensor Input, float Epsilon, bool Centred, Tensor Output) : Operation(Output)
{
    public override string Name => "row_moments";

    public override ImmutableArray<Tensor> Inputs => [Input];

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return this with { Input = input(Input), Output = output(Output) };
    }
}

/// <summary>Adds rows of a gradient, a period apart, to the gradient of a weight; times the normed input where there is one.</summary>
public sealed record ColumnSumsOp(Tensor Gradient, Tensor? Input, Tensor? Moments, int Period, Tensor Output) : Operation(Output)
{
    public override string Name => "column_sums";

    public override ImmutableArray<Tensor> Inputs => Lowered.Present(Gradient, Input, Moments);

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return this with { Gradient = input(Gradient), Input = Lowered.Renamed(Input, input), Moments = Lowered.Renamed(Moments, input), Output = output(Output) };
    }
}

/// <summary>What <c>training/token_loss.cu</c> makes of logits, as that file numbers it.</summary>
public enum TokenLossFunction : byte
{
    Loss,
    Gradient,

    /// <summary>The loss, and whether no token is likelier than the target.</summary>
    Score,
}

/// <summary>Losses of a piece's rows from their logits, or the gradients of the logits, or scores. Logits [piece, vocabulary]; Targets, and Factors of gradients, of all rows;
/// Output [all rows, 1], or [piece, vocabulary], or [all rows, 2].</summary>
public sealed record PieceLossOp(TokenLossFunction Function, Tensor Logits, Tensor Targets, Tensor? Factors, RowPiece Piece, Tensor Output) : Operation(Output)
{
    public override string Name => "token_loss";

    public override ImmutableArray<Tensor> Inputs => Lowered.Present(Logits, Targets, Factors);

    public override bool ContinuesOutput => Function != TokenLossFunction.Gradient && Piece.First > 0;

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return this with { Logits = input(Logits), Targets = input(Targets), Factors = Lowered.Renamed(Factors, input), Output = output(Output) };
    }
}

/// <summary>Operands of lowered operations.</summary>
internal static class Lowered
{
    public static ImmutableArray<Tensor> Present(params ReadOnlySpan<Tensor?> tensors)
    {
        var present = ImmutableArray.CreateBuilder<Tensor>(tensors.Length);
        foreach (Tensor? tensor in tensors)
            if (tensor is { } there)
                present.Add(there);
        return present.ToImmutable();
    }

    public static Tensor? Renamed(Tensor? tensor, Func<Tensor, Tensor> handle) => tensor is { } present ? handle(present) : null;
}

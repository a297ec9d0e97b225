using System.Numerics;

namespace XComposer2.Native.Model;

/// <summary>What the linears of a decoder layer are given while samples run: texts and pictures, whose rows are visual and see Partial LoRA in other places. Owns its memory.</summary>
public sealed class LayerInputs : IDisposable
{
    private readonly InputRows[] inputs;

    /// <param name="decoder">Sizes.</param>
    /// <param name="rows">Rows of all samples together.</param>
    public LayerInputs(DecoderConfig decoder, int rows)
    {
        ArgumentNullException.ThrowIfNull(decoder);
        inputs =
        [
            new InputRows(rows, decoder.HiddenSize), new InputRows(rows, decoder.Attention.QueryColumns), new InputRows(rows, decoder.HiddenSize), new InputRows(rows, decoder.IntermediateSize),
        ];
    }

    /// <summary>The rows of an input.</summary>
    public InputRows this[LinearInput input] => inputs[(int)input];

    /// <summary>The input of a weight, by the weight's name; null for weights of no decoder linear.</summary>
    public static LinearInput? InputOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name switch
        {
            _ when name.EndsWith(".attention.wqkv.weight", StringComparison.Ordinal) => LinearInput.Attention,
            _ when name.EndsWith(".attention.wo.weight", StringComparison.Ordinal) => LinearInput.AttentionOutput,
            _ when name.EndsWith(".feed_forward.w1.weight", StringComparison.Ordinal) || name.EndsWith(".feed_forward.w3.weight", StringComparison.Ordinal) => LinearInput.FeedForward,
            _ when name.EndsWith(".feed_forward.w2.weight", StringComparison.Ordinal) => LinearInput.Gated,
            _ => null,
        };
    }

    public void Dispose()
    {
        foreach (InputRows rows in inputs)
            rows.Dispose();
    }
}

/// <summary>The inputs of a layer's linears.</summary>
public enum LinearInput
{
    /// <summary>Of the packed projection: the attention norm's result.</summary>
    Attention,

    /// <summary>Of the output projection.</summary>
    AttentionOutput,

    /// <summary>Of gate and up: the second norm's result.</summary>
    FeedForward,

    /// <summary>Of the projection down: silu(gate) · up.</summary>
    Gated,
}

/// <summary>Rows of one input [rows, columns] in F32, each already multiplied with the root of its share. Owns its memory.</summary>
public sealed unsafe class InputRows : IDisposable
{
    private readonly NativeBlock memory;
    private float[]? moments;

    internal InputRows(int rows, int columns)
    {
        Rows = rows;
        Columns = columns;
        memory = new NativeBlock((long)rows * columns * sizeof(float));
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Writes a row.</summary>
    /// <param name="row">Which.</param>
    /// <param name="values">[columns].</param>
    /// <param name="weight">Root of the row's share of all samples.</param>
    public void Set(int row, ReadOnlySpan<float> values, float weight)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        if (values.Length != Columns)
            throw new ArgumentException($"expected {Columns} values, found {values.Length}", nameof(values));
        moments = null;
        var target = new Span<float>(Row(row), Columns);
        for (int i = 0; i < target.Length; i++)
            target[i] = values[i] * weight;
    }

    public void Dispose() => memory.Dispose();

    internal float* Row(int row) => (float*)memory.Address + ((nint)row * Columns);

    /// <summary>Sums of squares of each column.</summary>
    internal float[] Moments() => moments ??= SumSquares();

    private float[] SumSquares()
    {
        float[] sums = new float[Columns];
        for (int row = 0; row < Rows; row++)
            for (int column = 0; column < Columns; column++)
                sums[column] += Row(row)[column] * Row(row)[column];
        return sums;
    }

    /// <summary>The product of a row with as many values.</summary>
    internal float Dot(int row, ReadOnlySpan<float> values)
    {
        float* x = Row(row);
        Vector<float> sum = Vector<float>.Zero;
        int i = 0;
        for (; i <= Columns - Vector<float>.Count; i += Vector<float>.Count)
            sum += Vector.Load(x + i) * new Vector<float>(values[i..]);
        float total = Vector.Sum(sum);
        for (; i < Columns; i++)
            total += x[i] * values[i];
        return total;
    }
}

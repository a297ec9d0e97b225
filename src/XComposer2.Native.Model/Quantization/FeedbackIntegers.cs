using System.Numerics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A matrix of weights as integers, column by column: what rounding a column costs the products with the inputs is made up for by the columns that are rounded after it (GPTQ). Scales are chosen for
/// a group when its first column's turn comes. The same bits whatever the number of threads. Owns its memory.
/// </summary>
internal sealed unsafe class FeedbackIntegers : IQuantizedMatrix
{
    // Rows that share a walk over the factor.
    private const int ChunkRows = 24, PlainBlock = 128;

    private readonly WeightFormat format;
    private readonly IntegerParts parts;
    private readonly InputFactor factor;
    private readonly int rows, columns, block;

    private FeedbackIntegers(WeightFormat format, Shape shape, InputFactor factor)
    {
        this.format = format;
        this.factor = factor;
        (rows, columns) = (shape[0], shape[1]);
        block = format.GroupSize == 0 ? PlainBlock : format.GroupSize;
        parts = new IntegerParts(format, shape);
    }

    public long TotalBytes => parts.TotalBytes;

    public HostTensor this[WeightPart part] => parts[part];

    /// <param name="weights">[rows, columns] of a floating type.</param>
    /// <param name="format">Of groups, or int8 by rows; with a group index where the factor has an order.</param>
    /// <param name="factor">Of the inputs.</param>
    /// <param name="name">For messages.</param>
    /// <param name="cancellation">Takes effect between chunks of rows.</param>
    /// <exception cref="ArgumentException">Not a matrix of a floating type, or the format does not go with the factor.</exception>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite, or beyond the range of scales.</exception>
    public static FeedbackIntegers Quantize(HostTensor weights, WeightFormat format, InputFactor factor, string name, CancellationToken cancellation)
    {
        if (weights.Shape.Rank != 2 || !weights.Type.IsFloat() || weights.Shape[1] != factor.Columns)
            throw new ArgumentException($"{name}: expected a matrix of a floating type with {factor.Columns} columns, found {weights.Type} {weights.Shape}", nameof(weights));
        if (format.IsFloat || format.HasGroupIndex != (factor.Order is not null))
            throw new ArgumentException($"{name}: expected integers {(factor.Order is null ? "without" : "with")} a group index, found {format}", nameof(format));
        FeedbackIntegers result = new(format, weights.Shape, factor);
        result.WriteGroupIndex();
        return ParallelQuantization.Fill(result, (weights.Shape[0] + ChunkRows - 1) / ChunkRows, chunk => result.QuantizeChunk(weights, chunk * ChunkRows, name), cancellation);
    }

    public void Dispose() => parts.Dispose();

    private void WriteGroupIndex()
    {
        if (factor.Order is not { } order)
            return;
        var index = (int*)parts[WeightPart.GroupIndex].Data;
        for (int place = 0; place < columns; place++)
            index[order[place]] = place / format.GroupSize;
    }

    private void QuantizeChunk(HostTensor weights, int first, string name)
    {
        int count = Math.Min(ChunkRows, rows - first);
        // Weights in the factor's order, what earlier columns add to them, and errors of the block's columns.
        float[] stored = new float[columns], wanted = new float[count * columns], added = new float[count * columns], errors = new float[block * ChunkRows];
        for (int row = 0; row < count; row++)
        {
            FloatWidening.Widen(weights, (long)(first + row) * columns, stored);
            for (int place = 0; place < columns; place++)
            {
                float weight = stored[factor.Order is { } order ? order[place] : place];
                if (!float.IsFinite(weight))
                    throw new InvalidDataException($"{name}: expected finite weights, found {weight} in row {first + row}");
                wanted[(row * columns) + place] = weight;
            }
        }

        short[] integers = new short[columns];
        var written = new short[count][];
        for (int row = 0; row < count; row++)
            written[row] = new short[columns];
        float[] rowScales = new float[count];
        for (int row = 0; row < count && format.GroupSize == 0; row++)
            rowScales[row] = Scale(first + row, 0, wanted.AsSpan(row * columns, columns), name).Scale;
        float[] group = new float[block];
        fixed (float* sums = added, error = errors)
            for (int start = 0; start < columns; start += block)
            {
                int length = Math.Min(block, columns - start);
                for (int row = 0; row < count; row++)
                {
                    Span<float> target = group.AsSpan(0, length);
                    for (int i = 0; i < length; i++)
                        target[i] = wanted[(row * columns) + start + i] + sums[(row * columns) + start + i];
                    (float scale, int zero) = format.GroupSize == 0 ? (rowScales[row], 0) : Scale(first + row, start / format.GroupSize, target, name);
                    RoundBlock(target, wanted.AsSpan((row * columns) + start, length), scale, zero, start, written[row].AsSpan(start, length), errors, row);
                }

                int rest = columns - start - length;
                if (rest > 0)
                    OuterProducts.Add(sums + start + length, columns, error, ChunkRows, factor.Row(start) + start + length, columns, count, rest, length);
            }

        for (int row = 0; row < count; row++)
            Write(first + row, written[row], integers);
    }

    // Target holds the weights and what all earlier blocks add; columns of the block add theirs as they are rounded.
    private void RoundBlock(Span<float> target, ReadOnlySpan<float> wanted, float scale, int zero, int start, Span<short> steps, float[] errors, int row)
    {
        for (int i = 0; i < target.Length; i++)
        {
            GroupScales.Round(target.Slice(i, 1), scale, zero, format, steps.Slice(i, 1));
            float error = wanted[i] - (steps[i] * scale);
            steps[i] += (short)zero;
            errors[(i * ChunkRows) + row] = error;
            if (error == 0)
                continue;
            Feed(target[(i + 1)..], error, factor.Row(start + i) + start + i + 1);
        }
    }

    private static void Feed(Span<float> later, float error, float* feedback)
    {
        int i = 0;
        for (; i <= later.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(later[i..]) + (new Vector<float>(error) * Vector.Load(feedback + i))).CopyTo(later[i..]);
        for (; i < later.Length; i++)
            later[i] += error * feedback[i];
    }

    private (float Scale, int Zero) Scale(int row, int group, ReadOnlySpan<float> weights, string name)
    {
        if (format.GroupSize == 0)
        {
            float largest = 0;
            foreach (float weight in weights)
                largest = Math.Max(largest, Math.Abs(weight));
            ((float*)parts[WeightPart.Scales].Data)[row] = largest / 127;
            return (largest / 127, 0);
        }

        (float scale, int zero) = GroupScales.Choose(weights, format);
        if (!float.IsFinite(scale))
            throw new InvalidDataException($"{name}: expected weights within the range of F16 scales, found a group beyond it in row {row}");
        long place = ((long)row * format.Groups(columns)) + group;
        ((Half*)parts[WeightPart.Scales].Data)[place] = (Half)scale;
        if (format.HasZeroPoints)
            ((byte*)parts[WeightPart.ZeroPoints].Data)[place] = (byte)zero;
        return (scale, zero);
    }

    // In the order of the inputs.
    private void Write(int row, ReadOnlySpan<short> written, short[] integers)
    {
        for (int place = 0; place < columns; place++)
            integers[factor.Order is { } order ? order[place] : place] = written[place];
        var packed = (byte*)parts[WeightPart.Elements].Data + (row * format.Elements.Bytes(columns));
        if (format.Elements.ElementBits() == 8)
        {
            for (int i = 0; i < columns; i++)
                packed[i] = (byte)integers[i];
            return;
        }

        for (int i = 0; i < columns; i += 2)
            packed[i / 2] = (byte)((integers[i] & 0xF) | (integers[i + 1] << 4));
    }
}

using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A matrix of weights as integers of any width with a scale, and perhaps a zero point, for each group of a row (<see cref="GroupScales"/>). Scales are rounded to their stored type before
/// the elements are computed, which are rounded to nearest. The same bits whatever the number of threads and the processor. Owns its memory.
/// </summary>
public sealed unsafe class GroupedIntegers : IQuantizedMatrix
{
    private readonly WeightFormat format;
    private readonly Shape shape;
    private readonly IntegerParts parts;

    private GroupedIntegers(WeightFormat format, Shape shape)
    {
        this.format = format;
        this.shape = shape;
        parts = new IntegerParts(format, shape);
    }

    public long TotalBytes => parts.TotalBytes;

    public HostTensor this[WeightPart part] => parts[part];

    /// <param name="weights">[rows, columns] of a floating type.</param>
    /// <param name="format">Of groups; a group index counts up by groups, because the order of columns is the source's.</param>
    /// <param name="name">For messages.</param>
    /// <param name="shares">What the squared error of each column counts where scales are searched; null where all count the same.</param>
    /// <param name="cancellation">Takes effect between rows.</param>
    /// <exception cref="ArgumentException">Not a matrix of a floating type, or one whose rows are no whole bytes.</exception>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite.</exception>
    public static GroupedIntegers Quantize(HostTensor weights, WeightFormat format, string name, float[]? shares, CancellationToken cancellation)
    {
        if (weights.Shape.Rank != 2 || !weights.Type.IsFloat())
            throw new ArgumentException($"{name}: expected a matrix of a floating type, found {weights.Type} {weights.Shape}", nameof(weights));
        if (format.GroupSize == 0)
            throw new ArgumentException($"{name}: expected a format of groups, found {format}", nameof(format));
        GroupedIntegers result = new(format, weights.Shape);
        result.CountGroups();
        return ParallelQuantization.Fill(result, weights.Shape[0], row => result.QuantizeRow(weights, row, shares, name), cancellation);
    }

    /// <summary>The same where all columns count the same.</summary>
    /// <inheritdoc cref="Quantize(HostTensor, WeightFormat, string, float[], CancellationToken)"/>
    public static GroupedIntegers Quantize(HostTensor weights, WeightFormat format, string name, CancellationToken cancellation = default) => Quantize(weights, format, name, null, cancellation);

    public void Dispose() => parts.Dispose();

    private void CountGroups()
    {
        if (!format.HasGroupIndex)
            return;
        var index = (int*)parts[WeightPart.GroupIndex].Data;
        for (int column = 0; column < shape[1]; column++)
            index[column] = column / format.GroupSize;
    }

    private void QuantizeRow(HostTensor weights, int row, float[]? shares, string name)
    {
        int columns = shape[1], groups = format.Groups(columns);
        float[] values = new float[columns];
        FloatWidening.Widen(weights, (long)row * columns, values);
        var packed = (byte*)parts[WeightPart.Elements].Data + (row * format.Elements.Bytes(columns));
        short[] steps = new short[Math.Min(format.GroupSize, columns)];
        for (int group = 0; group < groups; group++)
        {
            int first = group * format.GroupSize;
            ReadOnlySpan<float> some = values.AsSpan(first, Math.Min(format.GroupSize, columns - first));
            for (int i = 0; i < some.Length; i++)
                if (!float.IsFinite(some[i]))
                    throw new InvalidDataException($"{name}: expected finite weights, found {some[i]} at [{row}, {first + i}]");
            (float scale, int zero) = GroupScales.Choose(some, format, shares is null ? default : shares.AsSpan(first, some.Length));
            if (!float.IsFinite(scale))
                throw new InvalidDataException($"{name}: expected weights within the range of F16 scales, found a group beyond it at [{row}, {first}]");
            ((Half*)parts[WeightPart.Scales].Data)[((long)row * groups) + group] = (Half)scale;
            if (format.HasZeroPoints)
                ((byte*)parts[WeightPart.ZeroPoints].Data)[((long)row * groups) + group] = (byte)zero;
            GroupScales.Round(some, scale, zero, format, steps);
            Write(packed, first, steps.AsSpan(0, some.Length), zero);
        }
    }

    // Groups are whole bytes.
    private void Write(byte* row, int first, ReadOnlySpan<short> steps, int zero)
    {
        if (format.Elements.ElementBits() == 8)
        {
            for (int i = 0; i < steps.Length; i++)
                row[first + i] = (byte)(steps[i] + zero);
            return;
        }

        for (int i = 0; i < steps.Length; i += 2)
            row[(first + i) / 2] = (byte)(((steps[i] + zero) & 0xF) | ((steps[i + 1] + zero) << 4));
    }
}

using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A matrix of weights as integers of any width with a scale, and perhaps a zero point, for each group of a row. Rounded to nearest: without zero points
/// scale = max |w| / limit; with them the group's range, widened to hold 0, is spread over all integers. Scales are rounded to their stored type before
/// the elements are computed. The same bits whatever the number of threads. Owns its memory.
/// </summary>
public sealed unsafe class GroupedIntegers : IQuantizedMatrix
{
    private readonly WeightFormat format;
    private readonly Shape shape;
    private readonly NativeBlock?[] blocks = new NativeBlock?[Enum.GetValues<WeightPart>().Length];
    private readonly HostTensor[] parts = new HostTensor[Enum.GetValues<WeightPart>().Length];

    private GroupedIntegers(WeightFormat format, Shape shape)
    {
        this.format = format;
        this.shape = shape;
        foreach (WeightPartSpec part in format.Parts(shape))
        {
            var block = new NativeBlock(part.Bytes);
            blocks[(int)part.Part] = block;
            parts[(int)part.Part] = new HostTensor(block.Address, part.Type, part.Shape);
        }
    }

    public long TotalBytes => format.Bytes(shape);

    public HostTensor this[WeightPart part] => blocks[(int)part] is not null
        ? parts[(int)part]
        : throw new ArgumentOutOfRangeException(nameof(part), part, $"no part of {format}");

    /// <param name="weights">[rows, columns] of a floating type.</param>
    /// <param name="format">Of groups; a group index counts up by groups, because the order of columns is the source's.</param>
    /// <param name="name">For messages.</param>
    /// <param name="cancellation">Takes effect between rows.</param>
    /// <exception cref="ArgumentException">Not a matrix of a floating type, or one whose rows are no whole bytes.</exception>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite.</exception>
    public static GroupedIntegers Quantize(HostTensor weights, WeightFormat format, string name, CancellationToken cancellation = default)
    {
        if (weights.Shape.Rank != 2 || !weights.Type.IsFloat())
            throw new ArgumentException($"{name}: expected a matrix of a floating type, found {weights.Type} {weights.Shape}", nameof(weights));
        if (format.GroupSize == 0)
            throw new ArgumentException($"{name}: expected a format of groups, found {format}", nameof(format));
        GroupedIntegers result = new(format, weights.Shape);
        try
        {
            result.CountGroups();
            Parallel.For(0, weights.Shape[0], new ParallelOptions { CancellationToken = cancellation }, row => result.QuantizeRow(weights, row, name));
            return result;
        }
        catch (AggregateException failures) when (failures.InnerException is InvalidDataException)
        {
            result.Dispose();
            throw failures.InnerException;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (NativeBlock? block in blocks)
            block?.Dispose();
    }

    private void CountGroups()
    {
        if (!format.HasGroupIndex)
            return;
        var index = (int*)parts[(int)WeightPart.GroupIndex].Data;
        for (int column = 0; column < shape[1]; column++)
            index[column] = column / format.GroupSize;
    }

    private void QuantizeRow(HostTensor weights, int row, string name)
    {
        int columns = shape[1], groups = format.Groups(columns);
        float[] values = new float[columns];
        FloatWidening.Widen(weights, (long)row * columns, values);
        var packed = (byte*)parts[(int)WeightPart.Elements].Data + (row * format.Elements.Bytes(columns));
        new Span<byte>(packed, checked((int)format.Elements.Bytes(columns))).Clear();
        for (int group = 0; group < groups; group++)
        {
            int first = group * format.GroupSize;
            ReadOnlySpan<float> some = values.AsSpan(first, Math.Min(format.GroupSize, columns - first));
            (float scale, int zero) = ScaleOf(some, name, row, first);
            ((Half*)parts[(int)WeightPart.Scales].Data)[((long)row * groups) + group] = (Half)scale;
            if (format.HasZeroPoints)
                ((byte*)parts[(int)WeightPart.ZeroPoints].Data)[((long)row * groups) + group] = (byte)zero;
            for (int i = 0; i < some.Length; i++)
                Write(packed, first + i, scale == 0 ? zero : (int)MathF.Round(some[i] / scale, MidpointRounding.ToEven) + zero);
        }
    }

    /// <summary>The scale as it is stored, and the integer that stands for zero.</summary>
    private (float Scale, int Zero) ScaleOf(ReadOnlySpan<float> group, string name, int row, int first)
    {
        float least = 0, most = 0;
        for (int i = 0; i < group.Length; i++)
        {
            if (!float.IsFinite(group[i]))
                throw new InvalidDataException($"{name}: expected finite weights, found {group[i]} at [{row}, {first + i}]");
            least = MathF.Min(least, group[i]);
            most = MathF.Max(most, group[i]);
        }

        int steps = (1 << format.Elements.ElementBits()) - 1;
        float exact = format.HasZeroPoints ? (most - least) / steps : MathF.Max(most, -least) / (steps / 2);
        float scale = (float)(Half)exact;
        if (!float.IsFinite(scale))
            throw new InvalidDataException($"{name}: expected weights within the range of F16 scales, found a scale of {exact} at [{row}, {first}]");
        int zero = format.HasZeroPoints && scale > 0 ? (int)Math.Clamp(MathF.Round(-least / scale, MidpointRounding.ToEven), 0, steps) : 0;
        return (scale, zero);
    }

    private void Write(byte* row, int column, int value)
    {
        int bits = format.Elements.ElementBits(), mask = (1 << bits) - 1;
        int limit = format.HasZeroPoints ? mask : mask / 2;
        int clamped = Math.Clamp(value, format.HasZeroPoints ? 0 : -limit, limit);
        int position = column * bits;
        row[position / 8] |= (byte)((clamped & mask) << (position % 8));
    }
}

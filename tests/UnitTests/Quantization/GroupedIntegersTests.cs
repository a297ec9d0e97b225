using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class GroupedIntegersTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<WeightFormat> Formats =>
    [
        WeightFormat.Grouped(8, 32), WeightFormat.Grouped(8, 128, true), WeightFormat.Grouped(4, 32), WeightFormat.Grouped(4, 8, true), WeightFormat.Grouped(4, 128, true, true),
    ];

    /// <summary>Half a step of the stored scale, and what rounding the scale to F16 cuts off of the largest: 2^-11 of it, or 2^-11 x 255 steps at most. 4-bit scales
    /// may cut off more of the largest, for less error of all.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_weight_is_within_half_a_step(WeightFormat format)
    {
        const int Rows = 9, Columns = 200;
        using NativeFloats weights = NativeFloats.Random(Rows * Columns, 1, 0.02);
        for (int i = 3 * Columns; i < 4 * Columns; i++)
            weights.Span[i] = 0;
        using GroupedIntegers quantised = Quantize(weights, Rows, Columns, format);
        for (int row = 0; row < Rows; row++)
            for (int column = 0; column < Columns; column++)
            {
                double scale = StoredWeights.Scale(quantised, format, row, column, Columns), found = StoredWeights.Value(quantised, format, row, column, Columns);
                double slack = Math.Pow(2, -11) * (1 << format.Elements.ElementBits());
                bool isLast = format.Elements.ElementBits() == 4 && StoredWeights.Integer(quantised, format, row, column, Columns) is 0 or 15 or -8 or 7;
                Assert.InRange(Math.Abs(found - weights[(row * Columns) + column]), 0, isLast ? Math.Abs(8 * scale) : Math.Abs(scale) * (0.5001 + slack + (format.HasZeroPoints ? 0.5 : 0)));
                Assert.True(row != 3 || (found == 0 && scale == 0));
            }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Gaussian_weights_lose_as_much_as_their_steps_say(WeightFormat format)
    {
        const int Rows = 32, Columns = 512;
        using NativeFloats weights = NativeFloats.Random(Rows * Columns, 2, 0.02);
        using GroupedIntegers quantised = Quantize(weights, Rows, Columns, format);
        double error = 0, norm = 0;
        for (int row = 0; row < Rows; row++)
            for (int column = 0; column < Columns; column++)
            {
                double exact = weights[(row * Columns) + column];
                error += Math.Pow(StoredWeights.Value(quantised, format, row, column, Columns) - exact, 2);
                norm += exact * exact;
            }

        (double least, double most) = format.Elements.ElementBits() == 8 ? (1e-3, 1e-2) : (3e-2, 0.13);
        Assert.InRange(Math.Sqrt(error / norm), least, most);
        Assert.Equal(format.Bytes(new Shape(Rows, Columns)), quantised.TotalBytes);
    }

    /// <summary>Against scales that hold the largest weight: seven steps of it, or fifteen of the range.</summary>
    [Theory]
    [InlineData(32, false)]
    [InlineData(128, false)]
    [InlineData(128, true)]
    public void Searched_scales_lose_less_than_those_of_the_largest_weight(int groupSize, bool hasZeroPoints)
    {
        const int Rows = 16, Columns = 512;
        WeightFormat format = WeightFormat.Grouped(4, groupSize, hasZeroPoints);
        using NativeFloats weights = NativeFloats.Random(Rows * Columns, 5, 0.02);
        using GroupedIntegers quantised = Quantize(weights, Rows, Columns, format);
        double searched = 0, plain = 0;
        for (int row = 0; row < Rows; row++)
            for (int first = 0; first < Columns; first += groupSize)
            {
                double[] group = [.. Enumerable.Range(first, groupSize).Select(column => weights[(row * Columns) + column])];
                double groupError = 0, plainError = 0;
                double step = hasZeroPoints ? (group.Max() - group.Min()) / 15 : group.Max(Math.Abs) / 7, zero = hasZeroPoints ? Math.Round(-group.Min() / step) : 0;
                for (int i = 0; i < groupSize; i++)
                {
                    groupError += Math.Pow(StoredWeights.Value(quantised, format, row, first + i, Columns) - group[i], 2);
                    double rounded = hasZeroPoints ? Math.Clamp(Math.Round(group[i] / step) + zero, 0, 15) - zero : Math.Round(group[i] / step);
                    plainError += Math.Pow((rounded * step) - group[i], 2);
                }

                Assert.InRange(groupError, 0, plainError * 1.1);
                searched += groupError;
                plain += plainError;
            }

        Assert.InRange(searched / plain, 0.5, 0.93);
    }

    [Fact]
    public void A_weight_without_a_number_or_a_scale_is_named()
    {
        using NativeFloats weights = NativeFloats.Random(2 * 64, 3);
        weights.Span[64 + 33] = float.NaN;
        Assert.Contains("[1, 33]", Assert.Throws<InvalidDataException>(() => Quantize(weights, 2, 64, WeightFormat.Grouped(4, 32))).Message, StringComparison.Ordinal);
        weights.Span[64 + 33] = 1e9f;
        Assert.Contains("F16", Assert.Throws<InvalidDataException>(() => Quantize(weights, 2, 64, WeightFormat.Grouped(4, 32))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Quantize(weights, 2, 64, WeightFormat.Int8));
        Assert.Throws<ArgumentException>(() => WeightQuantizer.Quantize(new HostTensor(weights.Data, DType.F32, new Shape(2, 64)), WeightFormat.BF16, "w", Cancellation));
    }

    private static GroupedIntegers Quantize(NativeFloats weights, int rows, int columns, WeightFormat format) =>
        GroupedIntegers.Quantize(new HostTensor(weights.Data, DType.F32, new Shape(rows, columns)), format, "w", Cancellation);
}

/// <summary>Reads stored integers by the words of <see cref="WeightFormat"/>, one by one.</summary>
internal static unsafe class StoredWeights
{
    /// <summary>As stored, the zero point not subtracted.</summary>
    public static int Integer(IQuantizedMatrix matrix, WeightFormat format, int row, int column, int columns)
    {
        int bits = format.Elements.ElementBits(), position = column * bits;
        byte* packed = (byte*)matrix[WeightPart.Elements].Data + (row * format.Elements.Bytes(columns));
        int value = (packed[position / 8] >> (position % 8)) & ((1 << bits) - 1);
        if (!format.HasZeroPoints && value >= 1 << (bits - 1))
            value -= 1 << bits;
        return value;
    }

    public static double Value(IQuantizedMatrix matrix, WeightFormat format, int row, int column, int columns)
    {
        int value = Integer(matrix, format, row, column, columns);
        int zero = format.HasZeroPoints ? ((byte*)matrix[WeightPart.ZeroPoints].Data)[Place(matrix, format, row, column, columns)] : 0;
        return (value - zero) * Scale(matrix, format, row, column, columns);
    }

    public static double Scale(IQuantizedMatrix matrix, WeightFormat format, int row, int column, int columns) =>
        (double)((Half*)matrix[WeightPart.Scales].Data)[Place(matrix, format, row, column, columns)];

    private static int Place(IQuantizedMatrix matrix, WeightFormat format, int row, int column, int columns)
    {
        int group = format.HasGroupIndex ? ((int*)matrix[WeightPart.GroupIndex].Data)[column] : column / format.GroupSize;
        return (row * format.Groups(columns)) + group;
    }
}

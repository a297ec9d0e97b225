using System.Runtime.InteropServices;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class Int8RowsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 31)]
    [InlineData(5, 443)]
    [InlineData(700, 588)]
    public void Every_element_is_the_nearest_step_of_its_row(int rows, int columns)
    {
        float[] weights = Random(rows * columns, rows);
        using Int8Rows quantized = Quantize(weights, rows, columns);
        float[] scales = Scales(quantized);
        sbyte[] found = Values(quantized);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> values = weights.AsSpan(row * columns, columns);
            float scale = scales[row];
            Assert.Equal(values.ToArray().Max(MathF.Abs) / 127, scale);
            for (int column = 0; column < columns; column++)
                Assert.Equal(Math.Clamp(MathF.Round(values[column] / scale, MidpointRounding.ToEven), -127, 127), found[(row * columns) + column]);
        }
    }

    [Fact]
    public void Halves_go_to_the_even_step_and_the_range_is_symmetric()
    {
        float[] row = [127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, -127, 126.5f, -126.5f, 0.49999997f, -0f];
        using Int8Rows quantized = Quantize(row, 1, row.Length);
        Assert.Equal([1f], Scales(quantized));
        Assert.Equal(new sbyte[] { 127, 0, 2, 2, 0, -2, -2, -127, 126, -126, 0, 0 }, Values(quantized));
    }

    /// <summary>Its row loses what is smaller than half a step of it; the rows beside it do not know of it.</summary>
    [Theory]
    [InlineData(1e6f)]
    [InlineData(-3e38f)]
    [InlineData(float.MaxValue)]
    public void One_weight_dominates_its_row_and_no_other(float large)
    {
        const int Columns = 37;
        float[] weights = Random(3 * Columns, 4);
        weights[Columns + 20] = large;
        using Int8Rows quantized = Quantize(weights, 3, Columns);
        Assert.Equal([.. Enumerable.Range(0, Columns).Select(column => column == 20 ? (sbyte)(127 * MathF.Sign(large)) : (sbyte)0)], Values(quantized)[Columns..(2 * Columns)]);
        Assert.Equal(MathF.Abs(large) / 127, Scales(quantized)[1]);
        weights[Columns + 20] = 0;
        using Int8Rows without = Quantize(weights, 3, Columns);
        foreach (int row in new[] { 0, 2 })
        {
            Assert.Equal(Scales(without)[row], Scales(quantized)[row]);
            Assert.Equal(Values(without)[(row * Columns)..((row + 1) * Columns)], Values(quantized)[(row * Columns)..((row + 1) * Columns)]);
        }
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 0)]
    public void A_matrix_without_elements_is_one(int rows, int columns)
    {
        using Int8Rows quantized = Quantize(new float[1], rows, columns);
        Assert.Equal(new Shape(rows, columns), quantized.Shape);
        Assert.Equal(new float[rows], Scales(quantized));
    }

    /// <summary>The scale of tiny numbers is itself rounded coarsely, or to zero.</summary>
    [Fact]
    public void Rows_of_zeros_and_of_the_smallest_numbers()
    {
        float tiny = float.Epsilon;
        float[] rows = [0, -0f, 0, tiny, -tiny, 50 * tiny, 190 * tiny, -190 * tiny, 100 * tiny];
        using Int8Rows quantized = Quantize(rows, 3, 3);
        Assert.Equal([0, 0, tiny], Scales(quantized));
        Assert.Equal(new sbyte[] { 0, 0, 0, 0, 0, 0, 127, -127, 100 }, Values(quantized));
    }

    [Fact]
    public void All_bits_of_the_16_bit_types_are_widened_exactly()
    {
        ushort[] bits = [.. Enumerable.Range(0, 1 << 16).Select(value => (ushort)value)];
        float[] found = new float[bits.Length];
        fixed (ushort* data = bits)
        {
            FloatWidening.Widen(new HostTensor((nint)data, DType.F16, new Shape(bits.Length)), 0, found);
            for (int i = 0; i < bits.Length; i++)
                Assert.Equal(BitConverter.SingleToUInt32Bits((float)BitConverter.UInt16BitsToHalf(bits[i])) | Quiet(i), BitConverter.SingleToUInt32Bits(found[i]) | Quiet(i));
            FloatWidening.Widen(new HostTensor((nint)data, DType.BF16, new Shape(bits.Length)), 3, found.AsSpan(0, bits.Length - 3));
            for (int i = 3; i < bits.Length; i++)
                Assert.Equal((uint)i << 16, BitConverter.SingleToUInt32Bits(found[i - 3]));
        }

        // A signalling NaN may become a quiet one.
        static uint Quiet(int half) => (half & 0x7C00) == 0x7C00 && (half & 0x3FF) != 0 ? 0x0040_0000u : 0;
    }

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Sixteen_bit_weights_give_what_the_same_numbers_give_in_32(DType type)
    {
        const int Rows = 37, Columns = 101;
        ushort[] halves = [.. Random(Rows * Columns, 9).Select(value => type == DType.F16 ? BitConverter.HalfToUInt16Bits((Half)value) : (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))];
        fixed (ushort* data = halves)
        {
            HostTensor tensor = new((nint)data, type, new Shape(Rows, Columns));
            using Int8Rows found = Int8Rows.Quantize(tensor, "w", TestContext.Current.CancellationToken);
            using Int8Rows expected = Quantize(HostTensorValues.ToFloats(tensor), Rows, Columns);
            Assert.Equal(Scales(expected), Scales(found));
            Assert.Equal(Values(expected), Values(found));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_weight_that_is_not_finite_is_named(float bad)
    {
        const int Rows = 4, Columns = 35;
        for (int at = 0; at < Rows * Columns; at++)
        {
            float[] weights = Random(Rows * Columns, at);
            weights[at] = bad;
            string message = Assert.Throws<InvalidDataException>(() => Quantize(weights, Rows, Columns).Dispose()).Message;
            Assert.Equal($"w: expected finite weights, found {bad} at [{at / Columns}, {at % Columns}]", message);
        }
    }

    [Fact]
    public void Only_matrices_of_floating_types()
    {
        Assert.Throws<ArgumentException>(() => Int8Rows.Quantize(new HostTensor(0, DType.I8, new Shape(1, 1)), "w", TestContext.Current.CancellationToken));
        Assert.Throws<ArgumentException>(() => Int8Rows.Quantize(new HostTensor(0, DType.F32, new Shape(1)), "w", TestContext.Current.CancellationToken));
    }

    private static Int8Rows Quantize(float[] weights, int rows, int columns)
    {
        fixed (float* data = weights)
            return Int8Rows.Quantize(new HostTensor((nint)data, DType.F32, new Shape(rows, columns)), "w", TestContext.Current.CancellationToken);
    }

    private static float[] Random(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-3, 2))))];
    }

    private static float[] Scales(Int8Rows rows) => HostTensorValues.ToFloats(rows.Scales);

    private static sbyte[] Values(Int8Rows rows) => MemoryMarshal.CreateReadOnlySpan(ref *(sbyte*)rows.Values.Data, (int)rows.Values.Shape.ElementCount).ToArray();
}

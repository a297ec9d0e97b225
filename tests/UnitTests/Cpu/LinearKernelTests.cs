using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class LinearKernelTests
{
    /// <summary>Rows, inputs, outputs, type, rank.</summary>
    public static TheoryData<int, int, int, DType, int> Cases => new()
    {
        { 1, 1, 1, DType.F32, 1 }, { 1, 64, 31, DType.BF16, 8 }, { 1, 4096, 1280, DType.BF16, 16 }, { 1, 1024, 49, DType.F16, 5 },
        { 2, 588, 48, DType.F16, 3 }, { 3, 17, 49, DType.F32, 16 }, { 3, 1024, 1280, DType.F32, 33 }, { 7, 588, 31, DType.BF16, 17 },
        { 8, 96, 1, DType.F16, 4 }, { 9, 1024, 48, DType.BF16, 8 }, { 16, 100, 130, DType.F32, 8 }, { 17, 15, 200, DType.BF16, 8 },
        { 31, 588, 49, DType.F32, 7 }, { 31, 1, 31, DType.F16, 1 }, { 64, 1024, 48, DType.BF16, 8 }, { 65, 200, 145, DType.F16, 48 },
        { 443, 64, 31, DType.F32, 8 }, { 443, 588, 97, DType.BF16, 20 },
        { 1, 1, 1, DType.I8, 1 }, { 1, 64, 31, DType.I8, 8 }, { 1, 4096, 1280, DType.I8, 16 }, { 2, 588, 48, DType.I8, 3 }, { 3, 17, 49, DType.I8, 16 },
        { 7, 100, 130, DType.I8, 17 }, { 16, 15, 200, DType.I8, 8 }, { 17, 31, 49, DType.I8, 7 }, { 31, 1, 31, DType.I8, 1 }, { 65, 200, 145, DType.I8, 48 },
        { 443, 588, 97, DType.I8, 20 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_part_matches_doubles_at_every_width(int rows, int inputs, int outputs, DType type, int rank)
    {
        Matches(new LinearCase(rows, inputs, outputs, type));
        Matches(new LinearCase(rows, inputs, outputs, type) { HasBias = true, Activation = Activation.QuickGelu });
        Matches(new LinearCase(rows, inputs, outputs, type) { HasBias = true, HasResidual = true, Activation = Activation.Gelu });
        Matches(new LinearCase(rows, inputs, outputs, type, rank, row => row % 3 != 1) { HasResidual = true });
        Matches(new LinearCase(rows, inputs, outputs, type, rank, row => row >= rows / 3) { HasBias = true });
        Matches(new LinearCase(rows, inputs, outputs, type, rank, _ => true) { Gated = true });
        Matches(new LinearCase(rows, inputs, outputs, type, rank, row => row * 7 % 5 < 2) { Gated = true });
        Matches(new LinearCase(rows, inputs, outputs, type) { Gated = true });
    }

    [Theory]
    [InlineData(3, 4096, 6144, DType.BF16, 256)]
    [InlineData(65, 4096, 1540, DType.BF16, 256)]
    [InlineData(64, 4100, 1280, DType.F16, 256)]
    [InlineData(1, 14336, 1030, DType.BF16, 256)]
    [InlineData(330, 14336, 50, DType.BF16, 64)]
    [InlineData(443, 1024, 1280, DType.F32, 256)]
    [InlineData(2, 14336, 1030, DType.I8, 256)]
    [InlineData(65, 4100, 1540, DType.I8, 256)]
    public void Real_sizes_match_doubles(int rows, int inputs, int outputs, DType type, int rank)
    {
        using var one = new LinearCase(rows, inputs, outputs, type, rank, row => row is > 0 and < 60) { HasResidual = true };
        foreach (int width in Accuracy.Widths)
            one.Check(one.Run(2, width), 97, $"{width} bits");
    }

    /// <summary>The order of summation is one: neither width, threads nor the other rows of a step change a bit.</summary>
    [Theory]
    [InlineData(40, 588, 97, DType.BF16)]
    [InlineData(33, 1024, 130, DType.F32)]
    [InlineData(21, 70, 49, DType.F16)]
    [InlineData(37, 588, 97, DType.I8)]
    public void A_row_alone_is_bit_for_bit_the_row_among_others(int rows, int inputs, int outputs, DType type)
    {
        foreach (bool gated in new[] { false, true })
        {
            using var all = new LinearCase(rows, inputs, outputs, type, 8, row => row % 4 == 1 || row > 30)
            {
                Gated = gated, HasBias = true, HasResidual = true, Activation = Activation.QuickGelu,
            };
            float[] together = all.Run(2, 128);
            foreach (int width in Accuracy.Widths)
                foreach (int step in new[] { 1, 2, 3, 5, 16, 17 })
                    for (int row = 0; row + step <= rows; row += step)
                        Same(together, row, step, all.Run(row, step, 1, width), outputs);
        }
    }

    [Theory]
    [InlineData(12, 100, 70, DType.BF16)]
    [InlineData(70, 100, 70, DType.F32)]
    [InlineData(12, 100, 70, DType.I8)]
    [InlineData(70, 100, 70, DType.I8)]
    public void Text_rows_do_not_know_of_partial_lora_nor_of_other_rows(int rows, int inputs, int outputs, DType type)
    {
        foreach (bool gated in new[] { false, true })
        {
            using var plain = new LinearCase(rows, inputs, outputs, type) { Gated = gated, HasResidual = true };
            using var mixed = new LinearCase(rows, inputs, outputs, type, 8, row => row % 3 == 1 || (row > 20 && row < 40)) { Gated = gated, HasResidual = true };
            using var none = new LinearCase(rows, inputs, outputs, type, 8, _ => false) { Gated = gated, HasResidual = true };
            foreach (NativeFloats matrix in new[] { mixed.LoraA, mixed.LoraB, none.LoraA, none.LoraB })
                matrix.Fill(double.NaN);
            for (int row = 0; row < rows; row++)
                if (mixed.VisualRow![row] >= 0)
                    mixed.Input.Span.Slice(row * inputs, inputs).Fill(row % 2 == 0 ? float.NaN : float.PositiveInfinity);
            foreach (int width in Accuracy.Widths)
                foreach (int threads in new[] { 1, 3 })
                {
                    float[] expected = plain.Run(threads, width);
                    Accuracy.Same(expected, none.Run(threads, width), "no visual row");
                    Accuracy.Same(expected, none.Run(threads, width, withLora: false), "no Partial LoRA");
                    float[] actual = mixed.Run(threads, width);
                    for (int row = 0; row < rows; row++)
                        if (mixed.VisualRow![row] < 0)
                            Same(expected, row, 1, actual[(row * outputs)..((row + 1) * outputs)], outputs);
                        else
                            Assert.All(actual[(row * outputs)..((row + 1) * outputs)], value => Assert.True(float.IsNaN(value)));
                }
        }
    }

    [Fact]
    public void A_row_of_not_a_number_stays_alone()
    {
        using var clean = new LinearCase(40, 60, 50, DType.BF16);
        using var dirty = new LinearCase(40, 60, 50, DType.BF16);
        dirty.Input.Span.Slice(13 * 60, 60).Fill(float.NaN);
        float[] expected = clean.Run(2, 0), actual = dirty.Run(2, 0);
        Same(expected, 0, 13, actual[..(13 * 50)], 50);
        Same(expected, 14, 26, actual[(14 * 50)..], 50);
        Assert.All(actual[(13 * 50)..(14 * 50)], value => Assert.True(float.IsNaN(value)));
    }

    [Fact]
    public void Scratch_for_more_rows_is_enough_for_fewer()
    {
        foreach (int inputs in new[] { 1, 64, 4096, 14336 })
        {
            long before = 0;
            for (int rows = 0; rows < 3000; rows += 7)
            {
                long bytes = LinearKernel.ScratchBytes(rows, inputs, 4096, 256, 2);
                Assert.True(bytes >= before && bytes <= GatedLinearKernel.ScratchBytes(rows, inputs, 4096, 256, 8, 2));
                before = bytes;
            }
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        using NativeFloats x = NativeFloats.Random(80, 1);
        using var output = new NativeFloats(20);
        using var pool = new WorkerPool(1);
        WeightMatrix weight = x.Weight(10, 8);
        FloatMatrix vector = new(x.Data, DType.F32, 1, 10);
        void Run(FloatMatrix? bias = null, LoraMatrices? lora = null, Activation activation = Activation.None, WeightMatrix? other = null) =>
            LinearKernel.Run(x.Pointer, 2, other ?? weight, bias, activation, null, lora, null, output.Pointer, null, 0, pool);

        Assert.Contains("expected [1, 10], found [1, 9]", Refused(() => Run(vector with { Columns = 9 })), StringComparison.Ordinal);
        Assert.Contains("lora.A", Refused(() => Run(lora: new LoraMatrices(weight with { Columns = 7 }, weight, 1))), StringComparison.Ordinal);
        Assert.Contains("expected [10, 4]", Refused(() => Run(lora: new LoraMatrices(weight with { Rows = 4 }, weight, 1))), StringComparison.Ordinal);
        Assert.Contains("activation", Refused(() => Run(activation: (Activation)77)), StringComparison.Ordinal);
        Assert.Contains("I32", Refused(() => WeightMatrix.Of(vector with { Type = DType.I32 })), StringComparison.Ordinal);
        Assert.Contains("int8: expected Scales F32 [10], found none", Refused(() => Run(other: weight with { Format = WeightFormat.Int8 })), StringComparison.Ordinal);
        Assert.Contains("I8", Refused(() => Run(bias: vector with { Type = DType.I8 })), StringComparison.Ordinal);
        Assert.Contains("scratch", Refused(() => Run()), StringComparison.Ordinal);
        Assert.Contains("up", Refused(() => GatedLinearKernel.Run(
            x.Pointer, 2, weight, weight with { Rows = 9 }, null, null, null, output.Pointer, null, 0, pool)), StringComparison.Ordinal);

        LinearKernel.Run(null, 0, weight, null, Activation.None, null, null, null, null, null, 0, pool);

        static string Refused(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;
    }

    private static void Matches(LinearCase one)
    {
        using (one)
        {
            float[]? first = null;
            foreach (int width in Accuracy.Widths)
                foreach (int threads in new[] { 1, 2, 3 })
                {
                    float[] actual = one.Run(threads, width);
                    if (first is null || !System.Runtime.Intrinsics.X86.Fma.IsSupported)
                        one.Check(actual, 1, $"{width} bits, {threads} threads");
                    first ??= actual;
                    if (System.Runtime.Intrinsics.X86.Fma.IsSupported)
                        Accuracy.Same(first, actual, $"{width} bits, {threads} threads, against the first");
                }
        }
    }

    private static void Same(float[] all, int firstRow, int rows, float[] actual, int outputs)
    {
        if (System.Runtime.Intrinsics.X86.Fma.IsSupported)
            Accuracy.Same(all.AsSpan(firstRow * outputs, rows * outputs), actual, $"rows {firstRow} to {firstRow + rows - 1}");
    }
}

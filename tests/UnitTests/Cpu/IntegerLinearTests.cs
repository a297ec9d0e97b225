using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Linears of packed integers with rounded activations, on every instruction set that this processor has, and on Arm's in software.</summary>
public sealed unsafe class IntegerLinearTests
{
    private static readonly DotInstructions[] sets =
    [
        .. new[] { DotInstructions.Avx2, DotInstructions.Avx512, DotInstructions.AvxVnni }.Where(instructions => instructions.IsSupported()), DotInstructions.ArmDot,
    ];

    /// <summary>Rows, inputs, outputs, format.</summary>
    public static TheoryData<int, int, int, WeightFormat> Cases => new()
    {
        { 1, 32, 1, WeightFormat.Int8 }, { 1, 520, 33, WeightFormat.Int8 }, { 5, 443, 49, WeightFormat.Int8 }, { 37, 264, 97, WeightFormat.Grouped(8, 128) },
        { 1, 520, 31, WeightFormat.Grouped(4, 32) }, { 4, 1024, 300, WeightFormat.Grouped(4, 128) }, { 3, 264, 17, WeightFormat.Grouped(4, 64, true) },
        { 66, 328, 40, WeightFormat.Grouped(4, 64, false, true) }, { 7, 264, 64, WeightFormat.Grouped(4, 128, true, true) },
    };

    /// <summary>Of every block the exact sum of integers; scales in order of blocks and groups, with one rounding each.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_instruction_set_gives_the_bits_of_the_definition(int rows, int inputs, int outputs, WeightFormat format)
    {
        using NativeFloats x = Activations(rows, inputs);
        using var weight = new Quantised(outputs, inputs, format, 2);
        float[] expected = weight.Define(x, rows);
        foreach (DotInstructions instructions in sets)
        {
            using PackedIntegers packed = PackedIntegers.Pack(weight.Matrix, instructions);
            Assert.Equal(PackedIntegers.BytesOf(format, outputs, inputs, instructions), packed.TotalBytes);
            foreach (int threads in new[] { 1, 3 })
                Accuracy.Same(expected, Run(WeightMatrix.Of(packed), x, rows, threads), $"{format}, {instructions}, {threads} threads");
        }
    }

    /// <summary>32 normal numbers are rounded to 127 steps of their largest: an error of 0.5 % of the result, whatever the weights are.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Rounded_activations_lose_less_than_a_hundredth(int rows, int inputs, int outputs, WeightFormat format)
    {
        // One sum alone may be small beside its terms.
        outputs += 64;
        using NativeFloats x = Activations(rows, inputs);
        using var weight = new Quantised(outputs, inputs, format, 3);
        using PackedIntegers packed = PackedIntegers.Pack(weight.Matrix, DotInstructionSets.Best);
        double[] exact = [.. Run(weight.Matrix, x, rows, 1).Select(value => (double)value)];
        Accuracy.Close(exact, Run(WeightMatrix.Of(packed), x, rows, 1), 1e-2, format.ToString());
    }

    [Fact]
    public void A_row_does_not_depend_on_its_neighbours()
    {
        const int Rows = 45, Inputs = 320, Outputs = 70;
        using NativeFloats x = Activations(Rows, Inputs);
        foreach (WeightFormat format in new[] { WeightFormat.Int8, WeightFormat.Grouped(4, 32) })
        {
            using var weight = new Quantised(Outputs, Inputs, format, 4);
            using PackedIntegers packed = PackedIntegers.Pack(weight.Matrix, DotInstructionSets.Best);
            float[] together = Run(WeightMatrix.Of(packed), x, Rows, 2);
            foreach (int row in new[] { 0, 3, 31, 44 })
            {
                using NativeFloats alone = new(Inputs);
                x.Span.Slice(row * Inputs, Inputs).CopyTo(alone.Span);
                Accuracy.Same(together.AsSpan(row * Outputs, Outputs), Run(WeightMatrix.Of(packed), alone, 1, 1), $"row {row}");
            }
        }
    }

    /// <summary>Floats and integers for each of the three matrices; rows of text have the bits that they have without it.</summary>
    [Theory]
    [InlineData(9, false)]
    [InlineData(70, true)]
    public void Partial_lora_is_added_to_visual_rows(int rows, bool isGated)
    {
        const int Inputs = 256, Outputs = 112, Rank = 24;
        using NativeFloats x = Activations(rows, Inputs);
        using var weight = new Quantised(Outputs, Inputs, WeightFormat.Grouped(4, 128), 5);
        using var up = new Quantised(Outputs, Inputs, WeightFormat.Grouped(4, 128), 6);
        using var a = new Quantised(Rank, Inputs, WeightFormat.Int8, 7);
        using var b = new Quantised(Outputs, Rank, WeightFormat.Int8, 8);
        using PackedIntegers packed = PackedIntegers.Pack(weight.Matrix, DotInstructionSets.Best), packedUp = PackedIntegers.Pack(up.Matrix, DotInstructionSets.Best),
            packedA = PackedIntegers.Pack(a.Matrix, DotInstructionSets.Best), packedB = PackedIntegers.Pack(b.Matrix, DotInstructionSets.Best);
        int[] visual = [.. Enumerable.Range(0, rows).Select(row => row % 3 == 1 ? row : -1)];
        float[] plain = Linear(null), floats = Linear(new LoraMatrices(a.Matrix, b.Matrix, 0.5f)), integers = Linear(new LoraMatrices(WeightMatrix.Of(packedA), WeightMatrix.Of(packedB), 0.5f));
        float[] exact = Linear(new LoraMatrices(a.Matrix, b.Matrix, 0.5f), isExact: true);
        for (int row = 0; row < rows; row++)
            if (visual[row] < 0)
            {
                Accuracy.Same(plain.AsSpan(row * Outputs, Outputs), floats.AsSpan(row * Outputs, Outputs), $"text row {row}");
                Accuracy.Same(plain.AsSpan(row * Outputs, Outputs), integers.AsSpan(row * Outputs, Outputs), $"text row {row}");
            }

        double[] wanted = [.. exact.Select(value => (double)value)];
        Accuracy.Close(wanted, floats, 1.5e-2, "Partial LoRA of floats");
        Accuracy.Close(wanted, integers, 1.5e-2, "Partial LoRA of integers");

        float[] Linear(LoraMatrices? lora, bool isExact = false) => isGated
            ? RunGated(isExact ? weight.Matrix : WeightMatrix.Of(packed), isExact ? up.Matrix : WeightMatrix.Of(packedUp), x, rows, lora, visual)
            : Run(isExact ? weight.Matrix : WeightMatrix.Of(packed), x, rows, 2, lora, visual);
    }

    [Fact]
    public void A_number_that_is_not_finite_is_not_lost()
    {
        const int Inputs = 96, Outputs = 20;
        using var weight = new Quantised(Outputs, Inputs, WeightFormat.Grouped(4, 32), 9);
        using PackedIntegers packed = PackedIntegers.Pack(weight.Matrix, DotInstructionSets.Best);
        using NativeFloats x = Activations(3, Inputs);
        x.Span[..Inputs].Clear();
        x.Span[Inputs + 40] = float.NaN;
        x.Span[(2 * Inputs) + 95] = float.NegativeInfinity;
        float[] found = Run(WeightMatrix.Of(packed), x, 3, 1);
        Assert.All(found[..Outputs], value => Assert.Equal(0, value));
        Assert.All(found[Outputs..], value => Assert.True(float.IsNaN(value)));
    }

    [Fact]
    public void Formats_that_cannot_be_packed_are_refused()
    {
        Assert.False(PackedIntegers.CanPack(WeightFormat.Grouped(4, 8)));
        Assert.False(PackedIntegers.CanPack(WeightFormat.Grouped(8, 128, true)));
        Assert.False(PackedIntegers.CanPack(WeightFormat.BF16));
        using var weight = new Quantised(4, 96, WeightFormat.Grouped(4, 32, false, true), 10);
        Assert.True(PackedIntegers.CanPack(weight.Matrix, DotInstructionSets.Best));
        ((int*)weight.Matrix.GroupIndex)[5] = 2 - ((int*)weight.Matrix.GroupIndex)[5];
        if (((int*)weight.Matrix.GroupIndex)[5] == 1)
            ((int*)weight.Matrix.GroupIndex)[5] = 0;
        Assert.False(PackedIntegers.CanPack(weight.Matrix, DotInstructionSets.Best));
        Assert.Contains("no integer products", Assert.Throws<ArgumentException>(() => PackedIntegers.Pack(weight.Matrix, DotInstructionSets.Best)).Message, StringComparison.Ordinal);
    }

    private static NativeFloats Activations(int rows, int inputs) => NativeFloats.Random(rows * inputs, 1);

    private static float[] Run(WeightMatrix weight, NativeFloats x, int rows, int threads, LoraMatrices? lora = null, int[]? visualRow = null)
    {
        using var pool = new WorkerPool(threads);
        using var output = new NativeFloats(rows * weight.Rows, "output");
        long scratchBytes = LinearKernel.ScratchBytes(rows, weight.Columns, weight.Rows, lora?.A.Rows ?? 0, threads, hasIntegers: true);
        using var scratch = new NativeFloats(checked((int)(scratchBytes / sizeof(float))), "scratch");
        fixed (int* visual = visualRow)
            LinearKernel.Run(x.Pointer, rows, weight, null, Activation.None, null, lora, visual, output.Pointer, scratch.Pointer, scratchBytes, pool);
        return output.Span.ToArray();
    }

    private static float[] RunGated(WeightMatrix gate, WeightMatrix up, NativeFloats x, int rows, LoraMatrices? lora, int[] visualRow)
    {
        using var pool = new WorkerPool(2);
        using var output = new NativeFloats(rows * gate.Rows, "output");
        int rank = lora?.A.Rows ?? 0;
        long scratchBytes = GatedLinearKernel.ScratchBytes(rows, gate.Columns, gate.Rows, rank, rank, 2, hasIntegers: true);
        using var scratch = new NativeFloats(checked((int)(scratchBytes / sizeof(float))), "scratch");
        fixed (int* visual = visualRow)
            GatedLinearKernel.Run(x.Pointer, rows, gate, up, lora, lora, visual, output.Pointer, scratch.Pointer, scratchBytes, pool);
        return output.Span.ToArray();
    }

    /// <summary>Random weights as integers, with a shuffled group index where there is one.</summary>
    private sealed class Quantised : IDisposable
    {
        private readonly IQuantizedMatrix integers;

        public Quantised(int outputs, int inputs, WeightFormat format, int seed)
        {
            using NativeFloats stored = NativeFloats.Random(outputs * inputs, seed, 0.1);
            integers = WeightQuantizer.Quantize(new HostTensor(stored.Data, DType.F32, new Shape(outputs, inputs)), format, "w", TestContext.Current.CancellationToken);
            Matrix = new WeightMatrix(
                format, outputs, inputs, Data(WeightPart.Elements), Data(WeightPart.Scales), Data(WeightPart.ZeroPoints), Data(WeightPart.GroupIndex));
            if (format.HasGroupIndex)
                new Random(seed).Shuffle(new Span<int>((void*)Matrix.GroupIndex, inputs));

            nint Data(WeightPart part) => format.Has(part) ? integers[part].Data : 0;
        }

        public WeightMatrix Matrix { get; }

        /// <summary>What <see cref="QuantizedRows"/> and <see cref="IntegerDots"/> say, one number after the other.</summary>
        public float[] Define(NativeFloats x, int rows)
        {
            (int inputs, int outputs) = (Matrix.Columns, Matrix.Rows);
            int[] columns = [.. Enumerable.Range(0, inputs)];
            if (Matrix.Format.HasGroupIndex)
                columns = [.. columns.OrderBy(column => ((int*)Matrix.GroupIndex)[column])];
            float[] result = new float[rows * outputs];
            for (int row = 0; row < rows; row++)
            {
                float[] values = [.. columns.Select(column => x.Span[(row * inputs) + column])];
                for (int output = 0; output < outputs; output++)
                    result[(row * outputs) + output] = Product(values, columns, output);
            }

            return result;
        }

        public void Dispose() => integers.Dispose();

        private float Product(float[] values, int[] columns, int output)
        {
            WeightFormat format = Matrix.Format;
            int groupSize = format.GroupSize == 0 ? values.Length : format.GroupSize, groups = format.Groups(values.Length);
            float sum = 0;
            for (int first = 0; first < values.Length; first += groupSize)
            {
                float part = 0;
                for (int start = first; start < Math.Min(first + groupSize, values.Length); start += 32)
                {
                    float[] block = values[start..Math.Min(start + 32, values.Length)];
                    float largest = block.Max(MathF.Abs), inverse = 127 / largest;
                    int dot = 0;
                    for (int i = 0; i < block.Length; i++)
                        dot += (int)MathF.Round(block[i] * inverse, MidpointRounding.ToEven) * Integer(output, columns[start + i]);
                    part = MathF.FusedMultiplyAdd(dot, largest / 127, part);
                }

                int place = (output * groups) + (first / groupSize);
                float scale = format.HasRowScales ? ((float*)Matrix.Scales)[place] : (float)((Half*)Matrix.Scales)[place];
                sum = MathF.FusedMultiplyAdd(part, scale, sum);
            }

            return sum;
        }

        private int Integer(int output, int column)
        {
            WeightFormat format = Matrix.Format;
            if (format.Elements == DType.I8)
                return ((sbyte*)Matrix.Elements)[(output * Matrix.Columns) + column];
            int nibble = (((byte*)Matrix.Elements)[(output * (Matrix.Columns / 2)) + (column / 2)] >> (4 * (column % 2))) & 15;
            int group = format.HasGroupIndex ? ((int*)Matrix.GroupIndex)[column] : column / format.GroupSize;
            return format.HasZeroPoints ? nibble - ((byte*)Matrix.ZeroPoints)[(output * format.Groups(Matrix.Columns)) + group] : nibble >= 8 ? nibble - 16 : nibble;
        }
    }
}

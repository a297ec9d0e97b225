using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class NormalizationTests
{
    public static TheoryData<int, int, DType> Cases => new()
    {
        { 1, 1, DType.F32 }, { 3, 7, DType.F32 }, { 2, 31, DType.BF16 }, { 443, 64, DType.F16 }, { 65, 130, DType.BF16 },
        { 1, 4096, DType.BF16 }, { 63, 1024, DType.F32 }, { 5, 4097, DType.F16 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rms_norm_matches_doubles(int rows, int columns, DType type)
    {
        using NativeFloats x = NativeFloats.Random(rows * columns, 1, 3);
        using NativeFloats gain = NativeFloats.Random(columns, 2, 1, type);
        double[] expected = new double[rows * columns];
        for (int row = 0; row < rows; row++)
        {
            double squares = 0;
            for (int i = 0; i < columns; i++)
                squares += x[(row * columns) + i] * x[(row * columns) + i];
            for (int i = 0; i < columns; i++)
                expected[(row * columns) + i] = x[(row * columns) + i] / Math.Sqrt((squares / columns) + 1e-5f) * gain[i];
        }

        foreach (int width in Accuracy.Widths)
            foreach (int threads in new[] { 1, 3 })
            {
                using var pool = new WorkerPool(threads);
                using var y = new NativeFloats(rows * columns);
                RmsNormKernel.Run(x.Pointer, gain.Matrix(1, columns), 1e-5f, y.Pointer, rows, columns, pool, (VectorWidth)width);
                Accuracy.Close(expected, y.Span, 3e-7, $"{width} bits, {threads} threads");
            }

        using var one = new WorkerPool(1);
        RmsNormKernel.Run(x.Pointer, gain.Matrix(1, columns), 1e-5f, x.Pointer, rows, columns, one);
        Accuracy.Close(expected, x.Span, 3e-7, "in place");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Layer_norm_matches_doubles_with_a_large_mean(int rows, int columns, DType type)
    {
        using NativeFloats x = NativeFloats.Random(rows * columns, 3, 2);
        for (int i = 0; i < rows * columns; i++)
            x.Span[i] += 100f;
        using NativeFloats gain = NativeFloats.Random(columns, 4, 1, type);
        using NativeFloats shift = NativeFloats.Random(columns, 5, 1, type);
        double[] expected = new double[rows * columns];
        for (int row = 0; row < rows; row++)
        {
            double[] values = x.ToDoubles()[(row * columns)..((row + 1) * columns)];
            double mean = values.Average();
            double variance = values.Select(value => (value - mean) * (value - mean)).Average();
            for (int i = 0; i < columns; i++)
                expected[(row * columns) + i] = ((values[i] - mean) / Math.Sqrt(variance + 1e-5f) * gain[i]) + shift[i];
        }

        foreach (int width in Accuracy.Widths)
        {
            using var pool = new WorkerPool(2);
            using var y = new NativeFloats(rows * columns);
            LayerNormKernel.Run(
                x.Pointer, gain.Matrix(1, columns), shift.Matrix(1, columns), 1e-5f, y.Pointer, rows, columns, pool, (VectorWidth)width);
            Accuracy.Close(expected, y.Span, 5e-6, $"{width} bits");
        }
    }

    [Fact]
    public void Weight_of_another_size_is_rejected()
    {
        using NativeFloats x = NativeFloats.Random(8, 1);
        using NativeFloats gain = NativeFloats.Random(7, 1);
        using var pool = new WorkerPool(1);
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => RmsNormKernel.Run(x.Pointer, gain.Matrix(1, 7), 1e-5f, x.Pointer, 1, 8, pool));
        Assert.Contains("expected [1, 8], found [1, 7]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Zero_rows_are_accepted()
    {
        using NativeFloats gain = NativeFloats.Random(8, 1);
        using var pool = new WorkerPool(1);
        RmsNormKernel.Run(null, gain.Matrix(1, 8), 1e-5f, null, 0, 8, pool);
        LayerNormKernel.Run(null, gain.Matrix(1, 8), gain.Matrix(1, 8), 1e-5f, null, 0, 8, pool);
    }
}

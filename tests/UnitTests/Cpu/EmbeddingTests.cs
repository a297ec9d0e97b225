using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class EmbeddingTests
{
    [Theory]
    [InlineData(DType.F32, 64)]
    [InlineData(DType.BF16, 37)]
    [InlineData(DType.F16, 4096)]
    public void Text_rows_come_from_the_table_and_visual_rows_from_the_picture(DType type, int hidden)
    {
        int[] ids = [3, -1, 0, 10, -7, 3];
        int[] visualRow = [-1, 2, -1, -1, 0, -1];
        using NativeFloats table = NativeFloats.Random(11 * hidden, 1, 1, type);
        using NativeFloats visual = NativeFloats.Random(3 * hidden, 2);
        using var output = new NativeFloats(ids.Length * hidden);
        using var pool = new WorkerPool(2);
        fixed (int* id = ids, row = visualRow)
            EmbedTokensKernel.Run(id, WeightMatrix.Of(table.Matrix(11, hidden)), visual.Pointer, row, 3, output.Pointer, ids.Length, pool);
        for (int token = 0; token < ids.Length; token++)
            for (int i = 0; i < hidden; i++)
                Assert.Equal(
                    visualRow[token] >= 0 ? visual[(visualRow[token] * hidden) + i] : table[(ids[token] * hidden) + i],
                    output[(token * hidden) + i]);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(37)]
    public void Rows_of_an_int8_table_are_its_integers_times_their_scale(int hidden)
    {
        int[] ids = [3, 0, 10];
        using NativeFloats table = NativeFloats.Random(11 * hidden, 1, 100, DType.I8);
        using NativeFloats scales = NativeFloats.Random(11, 2);
        using var output = new NativeFloats(ids.Length * hidden);
        using var pool = new WorkerPool(2);
        fixed (int* id = ids)
            EmbedTokensKernel.Run(id, table.Weight(11, hidden, scales), null, null, 0, output.Pointer, ids.Length, pool);
        for (int token = 0; token < ids.Length; token++)
            for (int i = 0; i < hidden; i++)
                Assert.Equal((float)table[(ids[token] * hidden) + i] * (float)scales[ids[token]], (float)output[(token * hidden) + i]);
    }

    [Theory]
    [InlineData(11, -1, "token 1: the vocabulary has 11 entries")]
    [InlineData(-1, -1, "token 1: the vocabulary has 11 entries")]
    [InlineData(0, 3, "token 1: there are 3 visual rows")]
    public void Ids_out_of_range_are_rejected(int id, int visualRow, string message)
    {
        using NativeFloats table = NativeFloats.Random(11 * 8, 1);
        using NativeFloats visual = NativeFloats.Random(3 * 8, 2);
        using var output = new NativeFloats(2 * 8);
        using var pool = new WorkerPool(1);
        int[] ids = [0, id];
        int[] rows = [-1, visualRow];
        ArgumentException error = Assert.Throws<ArgumentOutOfRangeException>(() =>
        {
            fixed (int* i = ids, r = rows)
                EmbedTokensKernel.Run(i, WeightMatrix.Of(table.Matrix(11, 8)), visual.Pointer, r, 3, output.Pointer, 2, pool);
        });
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_are_selected_in_any_order()
    {
        const int Columns = 37;
        using NativeFloats input = NativeFloats.Random(9 * Columns, 1);
        using var output = new NativeFloats(4 * Columns);
        using var pool = new WorkerPool(2);
        int[] rows = [8, 0, 3, 3];
        fixed (int* r = rows)
            SelectRowsKernel.Run(input.Pointer, 9, r, 4, Columns, output.Pointer, pool);
        for (int row = 0; row < 4; row++)
            Accuracy.Same(input.Span.Slice(rows[row] * Columns, Columns), output.Span.Slice(row * Columns, Columns));

        rows[2] = 9;
        Assert.Throws<ArgumentOutOfRangeException>(() =>
        {
            fixed (int* r = rows)
                SelectRowsKernel.Run(input.Pointer, 9, r, 4, Columns, output.Pointer, pool);
        });
    }

    [Theory]
    [InlineData(1, 1, 5)]
    [InlineData(2, 17, 31)]
    [InlineData(3, 1226, 64)]
    public void Class_tokens_are_removed(int images, int tokens, int columns)
    {
        using NativeFloats input = NativeFloats.Random(images * tokens * columns, 1);
        using var output = new NativeFloats(images * (tokens - 1) * columns);
        using var pool = new WorkerPool(2);
        SelectPatchesKernel.Run(input.Pointer, images, tokens, columns, output.Pointer, pool);
        int patchFloats = (tokens - 1) * columns;
        for (int image = 0; image < images; image++)
            Accuracy.Same(input.Span.Slice((image * tokens * columns) + columns, patchFloats), output.Span.Slice(image * patchFloats, patchFloats));
    }

    [Theory]
    [InlineData(1, 14, 14, 8, DType.F32)]
    [InlineData(2, 56, 14, 70, DType.BF16)]
    [InlineData(1, 107, 13, 65, DType.F16)]
    [InlineData(1, 33, 4, 130, DType.BF16)]
    public void Patch_embedding_matches_a_convolution_in_doubles(int images, int size, int patch, int outputs, DType type)
    {
        int grid = size / patch;
        int patches = grid * grid;
        int steps = 3 * patch * patch;
        using NativeFloats pixels = NativeFloats.Random(images * 3 * size * size, 1);
        using NativeFloats weight = NativeFloats.Random(outputs * steps, 2, 0.05, type);
        using NativeFloats classToken = NativeFloats.Random(outputs, 3, 1, type);
        using NativeFloats positions = NativeFloats.Random((patches + 1) * outputs, 4, 1, type);
        var expected = new double[images * (patches + 1) * outputs];
        for (int image = 0; image < images; image++)
            for (int token = 0; token <= patches; token++)
                for (int o = 0; o < outputs; o++)
                {
                    double sum = positions[(token * outputs) + o];
                    if (token == 0)
                        sum += classToken[o];
                    for (int k = 0; token > 0 && k < steps; k++)
                    {
                        int y = ((token - 1) / grid * patch) + (k / patch % patch);
                        int x = ((token - 1) % grid * patch) + (k % patch);
                        sum += weight[(o * steps) + k] * pixels[(((((image * 3) + (k / (patch * patch))) * size) + y) * size) + x];
                    }

                    expected[(((image * (patches + 1)) + token) * outputs) + o] = sum;
                }

        foreach (int width in Accuracy.Widths)
            foreach (int threads in new[] { 1, 3 })
            {
                using var pool = new WorkerPool(threads);
                using var output = new NativeFloats(expected.Length, "output");
                long scratchBytes = PatchEmbeddingKernel.ScratchBytes(patch, threads);
                using var scratch = new NativeFloats((int)(scratchBytes / 4), "scratch");
                PatchEmbeddingKernel.Run(
                    pixels.Pointer, images, size, patch, weight.Matrix(outputs, steps), classToken.Matrix(1, outputs),
                    positions.Matrix(patches + 1, outputs), output.Pointer, scratch.Pointer, scratchBytes, pool, (VectorWidth)width);
                Accuracy.Close(expected, output.Span, 5e-7, $"{width} bits, {threads} threads");
            }
    }

    [Fact]
    public void Position_table_of_another_picture_size_is_rejected()
    {
        using NativeFloats pixels = NativeFloats.Random(3 * 28 * 28, 1);
        using NativeFloats weight = NativeFloats.Random(8 * 588, 2);
        using NativeFloats table = NativeFloats.Random(6 * 8, 3);
        using NativeFloats classToken = NativeFloats.Random(8, 3);
        using var output = new NativeFloats(5 * 8);
        using var pool = new WorkerPool(1);
        Assert.Contains("expected [5, 8], found [6, 8]", Assert.Throws<ArgumentException>(() => PatchEmbeddingKernel.Run(
            pixels.Pointer, 1, 28, 14, weight.Matrix(8, 588), classToken.Matrix(1, 8), table.Matrix(6, 8), output.Pointer, null, 0, pool)).Message, StringComparison.Ordinal);
        using NativeFloats right = NativeFloats.Random(5 * 8, 3);
        Assert.Contains("scratch", Assert.Throws<ArgumentException>(() => PatchEmbeddingKernel.Run(
            pixels.Pointer, 1, 28, 14, weight.Matrix(8, 588), classToken.Matrix(1, 8), right.Matrix(5, 8), output.Pointer, null, 0, pool)).Message, StringComparison.Ordinal);
    }
}

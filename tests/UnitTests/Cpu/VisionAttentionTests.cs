using XComposer2.Native.Cpu;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class VisionAttentionTests
{
    [Theory]
    [InlineData(1, 1, 1, 8)]
    [InlineData(2, 17, 4, 32)]
    [InlineData(1, 31, 2, 64)]
    [InlineData(1, 63, 1, 80)]
    [InlineData(1, 64, 2, 64)]
    [InlineData(3, 65, 3, 40)]
    [InlineData(2, 257, 2, 64)]
    [InlineData(1, 1226, 2, 64)]
    public void Every_width_matches_doubles(int images, int tokens, int heads, int headSize)
    {
        int count = images * tokens * heads * headSize;
        using NativeFloats query = NativeFloats.Random(count, 1);
        using NativeFloats key = NativeFloats.Random(count, 2);
        using NativeFloats value = NativeFloats.Random(count, 3);
        double[] expected = Reference(query, key, value, images, tokens, heads, headSize);
        float[]? first = null;
        foreach (int width in Accuracy.Widths)
            foreach (int threads in new[] { 1, 3 })
            {
                using NativeFloats output = Run(query, key, value, images, tokens, heads, headSize, threads, width);
                Accuracy.Close(expected, output.Span, 1e-6, $"{width} bits, {threads} threads");
                first ??= output.Span.ToArray();
                if (System.Runtime.Intrinsics.X86.Fma.IsSupported)
                    Accuracy.Same(first, output.Span, $"{width} bits, {threads} threads, against 128 bits");
            }
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1e15)]
    public void Extreme_scores_do_not_overflow(double scale)
    {
        const int Tokens = 130, HeadSize = 64;
        using NativeFloats query = NativeFloats.Random(Tokens * HeadSize, 1, scale);
        using NativeFloats key = NativeFloats.Random(Tokens * HeadSize, 2, scale);
        using NativeFloats value = NativeFloats.Random(Tokens * HeadSize, 3);
        using NativeFloats output = Run(query, key, value, 1, Tokens, 1, HeadSize, 1, 0);
        Accuracy.Close(Reference(query, key, value, 1, Tokens, 1, HeadSize), output.Span, 0.02);
    }

    [Fact]
    public void Increasing_scores_rescale_the_sums()
    {
        const int Tokens = 200, HeadSize = 32;
        using NativeFloats query = NativeFloats.Random(Tokens * HeadSize, 1);
        using NativeFloats key = NativeFloats.Random(Tokens * HeadSize, 2);
        using NativeFloats value = NativeFloats.Random(Tokens * HeadSize, 3);
        for (int i = 0; i < Tokens * HeadSize; i++)
        {
            query.Span[i] = Math.Abs(query.Span[i]);
            key.Span[i] += i / HeadSize * 0.01f;
        }

        using NativeFloats output = Run(query, key, value, 1, Tokens, 1, HeadSize, 1, 0);
        Accuracy.Close(Reference(query, key, value, 1, Tokens, 1, HeadSize), output.Span, 1e-6);
    }

    [Fact]
    public void Nan_propagates()
    {
        using NativeFloats query = NativeFloats.Random(70 * 8, 1);
        using NativeFloats key = NativeFloats.Random(70 * 8, 2);
        using NativeFloats value = NativeFloats.Random(70 * 8, 3);
        key.Span[3] = float.NaN;
        using NativeFloats output = Run(query, key, value, 1, 70, 1, 8, 1, 0);
        foreach (float one in output.Span)
            Assert.True(float.IsNaN(one));
    }

    [Fact]
    public void Odd_head_sizes_and_small_scratch_are_rejected()
    {
        using NativeFloats x = NativeFloats.Random(64, 1);
        using var output = new NativeFloats(64);
        using var pool = new WorkerPool(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => VisionAttentionKernel.Run(x.Pointer, x.Pointer, x.Pointer, 1, 4, 1, 12, output.Pointer, null, 0, pool));
        using var scratch = new NativeFloats(64);
        Assert.Throws<ArgumentException>(() => VisionAttentionKernel.Run(
            x.Pointer, x.Pointer, x.Pointer, 1, 4, 1, 16, output.Pointer, scratch.Pointer, 256, pool));
    }

    private static NativeFloats Run(
        NativeFloats query, NativeFloats key, NativeFloats value, int images, int tokens, int heads, int headSize, int threads, int width)
    {
        using var pool = new WorkerPool(threads);
        long scratchBytes = VisionAttentionKernel.ScratchBytes(headSize, threads);
        using var scratch = new NativeFloats((int)(scratchBytes / 4), "scratch");
        var output = new NativeFloats(images * tokens * heads * headSize, "output");
        VisionAttentionKernel.Run(
            query.Pointer, key.Pointer, value.Pointer, images, tokens, heads, headSize, output.Pointer, scratch.Pointer, scratchBytes, pool, (VectorWidth)width);
        return output;
    }

    private static double[] Reference(NativeFloats query, NativeFloats key, NativeFloats value, int images, int tokens, int heads, int headSize)
    {
        int columns = heads * headSize;
        double[] q = query.ToDoubles(), k = key.ToDoubles(), v = value.ToDoubles();
        var output = new double[images * tokens * columns];
        var weights = new double[tokens];
        for (int image = 0; image < images; image++)
            for (int head = 0; head < heads; head++)
                for (int row = 0; row < tokens; row++)
                {
                    int start = (image * tokens * columns) + (head * headSize);
                    double largest = double.NegativeInfinity, sum = 0;
                    for (int other = 0; other < tokens; other++)
                    {
                        double dot = 0;
                        for (int i = 0; i < headSize; i++)
                            dot += q[start + (row * columns) + i] * k[start + (other * columns) + i];
                        weights[other] = dot / Math.Sqrt(headSize);
                        largest = Math.Max(largest, weights[other]);
                    }

                    for (int other = 0; other < tokens; other++)
                        sum += weights[other] = Math.Exp(weights[other] - largest);
                    for (int other = 0; other < tokens; other++)
                        for (int i = 0; i < headSize; i++)
                            output[start + (row * columns) + i] += weights[other] / sum * v[start + (other * columns) + i];
                }

        return output;
    }
}

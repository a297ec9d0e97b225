using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class PagedAttentionTests
{
    public static TheoryData<int, int, int, int> Shapes => new()
    {
        { 1, 4, 2, 64 }, { 2, 1, 1, 8 }, { 31, 4, 4, 64 }, { 63, 8, 1, 32 }, { 64, 6, 2, 80 }, { 65, 8, 2, 128 }, { 130, 3, 1, 72 }, { 443, 4, 1, 128 }, { 200, 5, 1, 64 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Single_chunk_prompt_matches_doubles(int tokens, int queryHeads, int keyValueHeads, int headSize)
    {
        var geometry = new AttentionGeometry(queryHeads, keyValueHeads, headSize);
        float[] packed = Packed(geometry, tokens, 1);
        double[] expected = Reference(packed, geometry, tokens);
        foreach (int width in Accuracy.Widths)
        {
            float[]? first = null;
            foreach (int threads in new[] { 1, 3 })
            {
                using var steps = new PagedSteps(geometry, 1, tokens, 7);
                float[] output = steps.Step(packed, [(0, 0, tokens)], threads, width);
                Accuracy.Close(expected, output, 2e-6, $"{width} bits, {threads} threads");
                first ??= output;
                Accuracy.Same(first, output, $"{width} bits, {threads} threads");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Chunked_prompt_and_decode_match_a_single_chunk(int tokens, int queryHeads, int keyValueHeads, int headSize)
    {
        var geometry = new AttentionGeometry(queryHeads, keyValueHeads, headSize);
        float[] packed = Packed(geometry, tokens, 2);
        using var whole = new PagedSteps(geometry, 1, tokens, null);
        float[] expected = whole.Step(packed, [(0, 0, tokens)]);
        foreach (int width in Accuracy.Widths)
            foreach (int chunk in new[] { 1, 2, 63, 64, 100 })
            {
                using var steps = new PagedSteps(geometry, 1, tokens, 5);
                var output = new List<float>();
                for (int past = 0; past < tokens; past += chunk)
                {
                    int rows = Math.Min(chunk, tokens - past);
                    output.AddRange(steps.Step(packed.AsSpan(past * geometry.PackedColumns, rows * geometry.PackedColumns), [(0, past, rows)], 2, width));
                }

                Accuracy.Close([.. expected.Select(value => (double)value)], output.ToArray(), 1e-6, $"{width} bits, chunks of {chunk}");
            }
    }

    [Theory]
    [InlineData(1000, 4, 2, 64)]
    [InlineData(4100, 2, 1, 128)]
    public void Split_decode_over_a_long_past_matches_doubles(int past, int queryHeads, int keyValueHeads, int headSize)
    {
        var geometry = new AttentionGeometry(queryHeads, keyValueHeads, headSize);
        float[] packed = Packed(geometry, past + 1, 3);
        double[] expected = Reference(packed, geometry, past + 1, past);
        foreach (int width in Accuracy.Widths)
        {
            using var steps = new PagedSteps(geometry, 1, past + 1, 5);
            steps.Step(packed.AsSpan(0, past * geometry.PackedColumns), [(0, 0, past)]);
            float[] one = steps.Step(packed.AsSpan(past * geometry.PackedColumns), [(0, past, 1)], 1, width);
            Accuracy.Close(expected, one, 2e-6, $"{width} bits");
            Accuracy.Same(one, steps.Step(packed.AsSpan(past * geometry.PackedColumns), [(0, past, 1)], 3, width));
        }
    }

    [Fact]
    public void Sequences_in_one_step_are_independent()
    {
        var geometry = new AttentionGeometry(4, 2, 64);
        int[] lengths = [70, 1, 600, 129, 3];
        int[] next = [1, 1, 1, 20, 2];
        float[][] packed = [.. lengths.Select((length, i) => Packed(geometry, length + next[i], 10 + i))];
        var alone = new List<float>();
        for (int i = 0; i < lengths.Length; i++)
        {
            using var steps = new PagedSteps(geometry, 1, 640, null);
            steps.Step(packed[i].AsSpan(0, lengths[i] * geometry.PackedColumns), [(0, 0, lengths[i])]);
            alone.AddRange(steps.Step(packed[i].AsSpan(lengths[i] * geometry.PackedColumns), [(0, lengths[i], next[i])]));
        }

        foreach (int threads in new[] { 1, 3 })
        {
            using var together = new PagedSteps(geometry, lengths.Length, 640, 3);
            together.Step(
                [.. lengths.SelectMany((length, i) => packed[i][..(length * geometry.PackedColumns)])],
                [.. lengths.Select((length, i) => (i, 0, length))], threads);
            float[] output = together.Step(
                [.. lengths.SelectMany((length, i) => packed[i][(length * geometry.PackedColumns)..])],
                [.. lengths.Select((length, i) => (i, length, next[i]))], threads);
            Accuracy.Same(alone.ToArray(), output, $"{threads} threads");
        }
    }

    [Fact]
    public void Page_order_does_not_change_results()
    {
        var geometry = new AttentionGeometry(4, 1, 64);
        float[] packed = Packed(geometry, 300, 4);
        using var ordered = new PagedSteps(geometry, 1, 300, null);
        using var shuffled = new PagedSteps(geometry, 1, 300, 99);
        Accuracy.Same(ordered.Step(packed, [(0, 0, 300)]), shuffled.Step(packed, [(0, 0, 300)]));
    }

    /// <summary>Relative L2 of the output: a rounding error of 2^-9 (bf16), 2^-12 (f16) or of half a step of 127 below the largest of a head, of keys and of values.</summary>
    public static TheoryData<DType, int, double, double> Caches => new()
    {
        { DType.BF16, 1, 1e-2, 1e-5 }, { DType.BF16, 90, 1e-2, 1e-5 }, { DType.F16, 1, 1e-3, 1e-5 }, { DType.F16, 90, 1e-3, 1e-5 }, { DType.I8, 1, 2e-2, 1e-3 }, { DType.I8, 90, 2e-2, 1e-3 },
    };

    [Theory]
    [MemberData(nameof(Caches))]
    public void Cache_differs_only_by_rounding(DType elements, int lastRows, double tolerance, double exact)
    {
        var geometry = new AttentionGeometry(4, 2, 64);
        float[] packed = Packed(geometry, 700, 6);
        double[] expected = Reference(packed, geometry, 700, 700 - lastRows);
        int past = 700 - lastRows;
        foreach (int width in Accuracy.Widths)
        {
            using var steps = new PagedSteps(geometry, 1, 700, 2, CacheFormat.Of(elements));
            steps.Step(packed.AsSpan(0, past * geometry.PackedColumns), [(0, 0, past)], 1, width);
            float[] output = steps.Step(packed.AsSpan(past * geometry.PackedColumns), [(0, past, lastRows)], 1, width);
            Accuracy.Close(expected, output, tolerance, $"{width} bits");
            Assert.ThrowsAny<Exception>(() => Accuracy.Close(expected, output, exact));
        }
    }

    /// <summary>Scales follow the elements of each head; a head of zeros has scale 0.</summary>
    [Fact]
    public void An_int8_cache_holds_integers_and_a_scale_per_token_and_head()
    {
        var geometry = new AttentionGeometry(2, 2, 16);
        using NativeFloats packed = NativeFloats.Random(geometry.PackedColumns, 1, 3);
        packed.Span.Slice(5 * 16, 16).Clear();
        using var pages = new NativeFloats((int)(KvLayerView.LayerBytes(2, 16, CacheFormat.Int8) / 4), "pages");
        using var queries = new NativeFloats(geometry.QueryColumns);
        using var pool = new WorkerPool(1);
        var view = new KvLayerView(pages.Data, KvLayerView.LayerBytes(2, 16, CacheFormat.Int8), 1, 0, 2, 16, CacheFormat.Int8);
        int physical = 0;
        var span = new SequenceSpan(0, 1, 0, &physical);
        RopeKvAppendKernel.Run(packed.Pointer, geometry, new RopeTable(8, 16, 10000f), view, &span, 1, 1, queries.Pointer, pool);
        float* source = packed.Pointer + (2 * 16);
        float scale = KvLayerView.Scales(view.Value(0, 0), 16)[0], largest = 0;
        for (int i = 0; i < 16; i++)
            largest = MathF.Max(largest, MathF.Abs(source[i]));
        Assert.Equal(largest / 127, scale);
        for (int i = 0; i < 16; i++)
            Assert.Equal((sbyte)MathF.Round(source[i] / scale, MidpointRounding.ToEven), ((sbyte*)view.Value(0, 0))[i]);
        Assert.Equal(0f, KvLayerView.Scales(view.Value(0, 1), 16)[0]);
        Assert.Equal(new byte[16], new ReadOnlySpan<byte>((void*)view.Value(0, 1), 16).ToArray());
        Assert.Equal(4 * ((64 * 16) + (64 * 4)), KvLayerView.LayerBytes(2, 16, CacheFormat.Int8));
    }

    /// <summary>Beyond F16's range the largest number stands for a finite one; a NaN is not lost in a scale.</summary>
    [Theory]
    [InlineData(DType.F16, 1e6f, false)]
    [InlineData(DType.I8, 1e30f, false)]
    [InlineData(DType.F16, float.NaN, true)]
    [InlineData(DType.I8, float.NaN, true)]
    public void Values_out_of_range_stay_finite_and_not_a_number_stays(DType elements, float value, bool isNaN)
    {
        var geometry = new AttentionGeometry(1, 1, 16);
        float[] packed = Packed(geometry, 3, 5);
        packed[^1] = value;
        using var steps = new PagedSteps(geometry, 1, 3, null, CacheFormat.Of(elements));
        float[] output = steps.Step(packed, [(0, 0, 3)]);
        Assert.Equal(isNaN, output[32..].Any(float.IsNaN));
        Assert.True(isNaN || output.All(float.IsFinite));
    }

    [Fact]
    public void Extreme_scores_do_not_overflow()
    {
        var geometry = new AttentionGeometry(2, 1, 64);
        float[] packed = Packed(geometry, 150, 8);
        for (int i = 0; i < packed.Length; i++)
            if (i % geometry.PackedColumns / geometry.HeadSize != 3)
                packed[i] *= 1e4f;
        double[] expected = Reference(packed, geometry, 150);
        using var steps = new PagedSteps(geometry, 1, 150, null);
        Accuracy.Close(expected, steps.Step(packed, [(0, 0, 150)]), 0.05);
        using var decode = new PagedSteps(geometry, 1, 150, null);
        for (int i = 0; i < 150; i++)
            foreach (float value in decode.Step(packed.AsSpan(i * geometry.PackedColumns, geometry.PackedColumns), [(0, i, 1)]))
                Assert.True(float.IsFinite(value));
    }

    [Fact]
    public void Invalid_pages_and_rows_are_rejected()
    {
        var geometry = new AttentionGeometry(2, 1, 8);
        using var pages = new NativeFloats((int)(KvLayerView.LayerBytes(1, 8) / 4));
        using NativeFloats packed = NativeFloats.Random(2 * geometry.PackedColumns, 1);
        using var queries = new NativeFloats(2 * geometry.QueryColumns);
        using var pool = new WorkerPool(1);
        var view = new KvLayerView(pages.Data, KvLayerView.LayerBytes(1, 8), 1, 0, 1, 8);
        var table = new RopeTable(8, 8, 10000f);
        int physical = 1;
        Run(new SequenceSpan(0, 2, 0, &physical), "physical page 1, but there are 1");
        physical = -1;
        Run(new SequenceSpan(0, 2, 0, &physical), "physical page -1");
        physical = 0;
        Run(new SequenceSpan(1, 2, 0, &physical), "do not fit a step of 2 rows");
        Run(new SequenceSpan(0, 2, int.MaxValue, &physical), "do not fit a step of 2 rows");
        Run(new SequenceSpan(0, 2, 7, &physical), "span 0 ends at 9 tokens, the table at 8");

        void Run(SequenceSpan span, string message)
        {
            SequenceSpan[] spans = [span];
            string found = Assert.ThrowsAny<ArgumentException>(() =>
            {
                fixed (SequenceSpan* first = spans)
                    RopeKvAppendKernel.Run(packed.Pointer, geometry, table, view, first, 1, 2, queries.Pointer, pool);
            }).Message;
            Assert.Contains(message, found, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Layer_does_not_modify_other_layers()
    {
        var geometry = new AttentionGeometry(2, 2, 16);
        int layerFloats = (int)(KvLayerView.LayerBytes(2, 16) / 4);
        using var pages = new NativeFloats(3 * layerFloats);
        pages.Span.Fill(-7f);
        using NativeFloats packed = NativeFloats.Random(64 * geometry.PackedColumns, 1);
        using var queries = new NativeFloats(64 * geometry.QueryColumns);
        using var pool = new WorkerPool(1);
        var view = new KvLayerView(pages.Data, 3L * layerFloats * 4, 1, 1, 2, 16);
        int physical = 0;
        var span = new SequenceSpan(0, 64, 0, &physical);
        RopeKvAppendKernel.Run(packed.Pointer, geometry, new RopeTable(64, 16, 10000f), view, &span, 1, 64, queries.Pointer, pool);
        Assert.Equal(-1, pages.Span[..layerFloats].IndexOfAnyExcept(-7f));
        Assert.Equal(-1, pages.Span[(2 * layerFloats)..].IndexOfAnyExcept(-7f));
        Assert.Equal(-1, pages.Span[layerFloats..(2 * layerFloats)].IndexOf(-7f));
        Assert.Equal((float)packed[(5 * geometry.PackedColumns) + (5 * 16) + 3], ((float*)view.Value(0, 1))[(5 * 16) + 3]);
    }

    private static float[] Packed(AttentionGeometry geometry, int tokens, int seed)
    {
        using NativeFloats values = NativeFloats.Random(tokens * geometry.PackedColumns, seed);
        return values.Span.ToArray();
    }

    /// <summary>Reference of rope_kv_append and paged_attention for one sequence, for rows from firstRow.</summary>
    private static double[] Reference(float[] packed, AttentionGeometry geometry, int tokens, int firstRow = 0)
    {
        (int queryHeads, int keyValueHeads, int d) = geometry;
        int group = geometry.GroupSize;
        double[] rotated = [.. packed.Select(value => (double)value)];
        for (int token = 0; token < tokens; token++)
            for (int head = 0; head < geometry.PackedColumns / d; head++)
            {
                if (head % (group + 2) == group + 1)
                    continue;
                int start = (token * geometry.PackedColumns) + (head * d);
                for (int i = 0; i < d / 2; i++)
                {
                    double angle = token * (1f / MathF.Pow(PagedSteps.Theta, 2 * i / (float)d));
                    double lower = packed[start + i], upper = packed[start + (d / 2) + i];
                    rotated[start + i] = (lower * Math.Cos(angle)) - (upper * Math.Sin(angle));
                    rotated[start + (d / 2) + i] = (upper * Math.Cos(angle)) + (lower * Math.Sin(angle));
                }
            }

        var output = new double[(tokens - firstRow) * geometry.QueryColumns];
        var weights = new double[tokens];
        for (int head = 0; head < queryHeads; head++)
        {
            int packedHead = head / group * (group + 2);
            int queryColumn = (packedHead + (head % group)) * d, keyColumn = (packedHead + group) * d, valueColumn = keyColumn + d;
            for (int row = firstRow; row < tokens; row++)
            {
                double largest = double.NegativeInfinity, sum = 0;
                for (int other = 0; other <= row; other++)
                {
                    double dot = 0;
                    for (int i = 0; i < d; i++)
                        dot += rotated[(row * geometry.PackedColumns) + queryColumn + i] * rotated[(other * geometry.PackedColumns) + keyColumn + i];
                    weights[other] = dot / Math.Sqrt(d);
                    largest = Math.Max(largest, weights[other]);
                }

                for (int other = 0; other <= row; other++)
                    sum += weights[other] = Math.Exp(weights[other] - largest);
                for (int other = 0; other <= row; other++)
                    for (int i = 0; i < d; i++)
                        output[((row - firstRow) * geometry.QueryColumns) + (head * d) + i] +=
                            weights[other] / sum * rotated[(other * geometry.PackedColumns) + valueColumn + i];
            }
        }

        return output;
    }
}

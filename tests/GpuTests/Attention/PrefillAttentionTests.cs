using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class PrefillAttentionTests(GpuDevice device)
{
    public static TheoryData<DType, int, int> Lengths()
    {
        TheoryData<DType, int, int> cases = [];
        foreach (DType storage in (DType[])[DType.F32, DType.F16, DType.BF16])
        {
            foreach (int rows in (int[])[1, 2, 15, 17, 63, 64, 65, 127, 130, 300])
                cases.Add(storage, 0, rows);
            foreach (int past in (int[])[1, 63, 64, 100])
                cases.Add(storage, past, 70);
        }
        return cases;
    }

    public static TheoryData<DType, int, int> Groups()
    {
        TheoryData<DType, int, int> cases = [];
        foreach (DType storage in (DType[])[DType.F32, DType.F16, DType.BF16])
            foreach (int headSize in (int[])[64, 128])
                foreach (int group in (int[])[1, 2, 4, 8])
                    cases.Add(storage, group, headSize);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Rows_attend_to_past_and_current_keys(DType storage, int past, int rows) =>
        Check(storage, new AttentionGeometry(2, 1, 64), [new(past, rows)]);

    [Theory]
    [MemberData(nameof(Groups))]
    public void Query_heads_of_a_group_share_keys(DType storage, int group, int headSize) =>
        Check(storage, new AttentionGeometry(2 * group, 2, headSize), [new(20, 50)]);

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Sequences_of_a_step_are_independent(DType storage) =>
        Check(storage, new AttentionGeometry(4, 2, 128), [new(63, 2), new(0, 65), new(10, 0), new(0, 1), new(100, 30), new(64, 64)]);

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Keys_with_a_score_of_minus_infinity_have_no_weight(DType storage)
    {
        AttentionGeometry heads = new(2, 2, 64);
        using PagedProblem problem = new(device, storage, heads, [new(90, 40)], hiddenKeys: 70);
        Run(storage, heads, problem);
        problem.Check();
    }

    [Theory]
    [InlineData(DType.F16, 128)]
    [InlineData(DType.BF16, 128)]
    [InlineData(DType.F16, 64)]
    public void Integers_of_an_int8_cache_are_scaled(DType storage, int headSize)
    {
        AttentionGeometry heads = new(4, 2, headSize);
        using PagedProblem problem = new(device, storage, heads, [new(63, 2), new(0, 65), new(10, 0), new(100, 30)], hasInt8Cache: true);
        PrefillAttention kernel = new(storage, heads, FlashTile.ChooseKeys(device.Capability, headSize), hasInt8Cache: true);
        device.Run(kernel, kernel.Geometry(problem.Rows, problem.Spans.Length), kernel.Arguments(
            problem.Queries, problem.Outputs, problem.LayerStart, problem.PageBytes, problem.SpanStart, problem.PageTableStart, problem.Spans.Length));
        problem.Check();
    }

    [Fact]
    public void Chunked_prompt_equals_the_whole_prompt()
    {
        AttentionGeometry heads = new(2, 1, 64);
        using PagedProblem whole = new(device, DType.F16, heads, [new(0, 100)]);
        using PagedProblem piece = new(device, DType.F16, heads, [new(64, 36)]);
        Run(DType.F16, heads, whole);
        Run(DType.F16, heads, piece);
        whole.Check();
        piece.Check();
    }

    [Fact]
    public void Every_tile_has_a_block_for_any_split_of_rows()
    {
        PrefillAttention kernel = new(DType.F16, new AttentionGeometry(32, 8, 128), 64);
        Assert.Equal(new LaunchGeometry(new Dim3(32, 21), 128, 48 * 1024), kernel.Geometry(1300, 1));
        Assert.Equal(3, kernel.Geometry(3, 64).Grid.Y);
        for (int rows = 2; rows < 300; rows++)
            Assert.Equal(Enumerable.Range(1, rows - 1).Max(first => Tiles(first) + Tiles(rows - first)), kernel.Geometry(rows, 2).Grid.Y);

        static int Tiles(int rows) => (rows + 63) / 64;
    }

    [Fact]
    public void Cost_counts_each_visible_key_and_each_byte_once()
    {
        PrefillAttention kernel = new(DType.BF16, new AttentionGeometry(4, 2, 64), 64);
        KernelCost expected = new((2 * 3 * 256 + 2 * 8 * 128) * 2, 4 * (6 + 7 + 8) * 256);
        Assert.Equal(expected, kernel.Cost([new SequenceSpan(0, 3, 5, 0), new SequenceSpan(3, 0, 9, 1)]));
    }

    [Fact]
    public void Unsupported_head_layouts_are_rejected()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrefillAttention(DType.F16, new AttentionGeometry(4, 2, 96), 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrefillAttention(DType.F16, new AttentionGeometry(9, 1, 64), 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrefillAttention(DType.F16, new AttentionGeometry(5, 2, 64), 64));
    }

    private void Check(DType storage, AttentionGeometry heads, PagedSequence[] sequences)
    {
        using PagedProblem problem = new(device, storage, heads, sequences);
        Run(storage, heads, problem);
        problem.Check();
    }

    private void Run(DType storage, AttentionGeometry heads, PagedProblem problem)
    {
        PrefillAttention kernel = new(storage, heads, FlashTile.ChooseKeys(device.Capability, heads.HeadSize));
        device.Run(
            kernel, kernel.Geometry(problem.Spans.Sum(span => span.RowCount), problem.Spans.Length),
            kernel.Arguments(problem.Queries, problem.Outputs, problem.LayerStart, problem.PageBytes, problem.SpanStart, problem.PageTableStart, problem.Spans.Length));
    }
}

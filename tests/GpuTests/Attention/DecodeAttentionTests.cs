using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class DecodeAttentionTests(GpuDevice device)
{
    public static TheoryData<DType, int, int> Lengths()
    {
        TheoryData<DType, int, int> cases = [];
        foreach (DType storage in (DType[])[DType.F32, DType.F16, DType.BF16])
        {
            foreach (int length in (int[])[1, 2, 15, 17, 63, 64, 65, 127, 130, 300])
                cases.Add(storage, length, 1);
            foreach (int runs in (int[])[2, 3, 4, 5, 9])
                cases.Add(storage, 300, runs);
        }
        return cases;
    }

    public static TheoryData<DType, int, int> Groups()
    {
        TheoryData<DType, int, int> cases = [];
        foreach (DType storage in (DType[])[DType.F32, DType.F16, DType.BF16])
            foreach (int headSize in (int[])[64, 128])
                foreach (int group in (int[])[1, 2, 3, 4, 8])
                    cases.Add(storage, group, headSize);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Newest_token_attends_to_all_keys(DType storage, int length, int runs) =>
        Check(storage, new AttentionGeometry(4, 2, 64), runs, [new(length - 1, 1)]);

    [Theory]
    [MemberData(nameof(Groups))]
    public void Query_heads_of_a_group_share_keys(DType storage, int group, int headSize) =>
        Check(storage, new AttentionGeometry(2 * group, 2, headSize), 2, [new(149, 1)]);

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Sequences_of_different_lengths_and_empty_slots_are_supported(DType storage) =>
        Check(storage, new AttentionGeometry(8, 2, 128), 3, [new(63, 1), new(0, 1), new(100, 0), new(299, 1), new(0, 0), new(64, 1), new(128, 1)]);

    /// <summary>A page that is not full, several pages of a run, runs that are merged, an empty place.</summary>
    [Theory]
    [InlineData(DType.F16, 4, 128)]
    [InlineData(DType.BF16, 4, 128)]
    [InlineData(DType.F16, 2, 64)]
    public void Integers_of_an_int8_cache_are_scaled(DType storage, int group, int headSize)
    {
        AttentionGeometry heads = new(2 * group, 2, headSize);
        foreach (int runs in (int[])[1, 3, 11])
        {
            using PagedProblem problem = new(device, storage, heads, [new(99, 1), new(0, 0), new(0, 1), new(699, 1)], hasInt8Cache: true);
            using DecodeRun run = new(device, storage, heads, 4, runs, hasInt8Cache: true);
            run.Launch(problem, runs);
            problem.Check();
        }
    }

    [Fact]
    public void Sixty_four_sequences_are_supported() =>
        Check(DType.F16, new AttentionGeometry(4, 1, 64), 2, [.. Enumerable.Range(0, 64).Select(index => new PagedSequence(index * 3, 1))]);

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Keys_with_a_score_of_minus_infinity_have_no_weight(DType storage)
    {
        AttentionGeometry heads = new(4, 2, 64);
        using PagedProblem problem = new(device, storage, heads, [new(199, 1)], hiddenKeys: 130);
        using DecodeRun run = new(device, storage, heads, 1, 4);
        run.Launch(problem, 4);
        problem.Check();
    }

    [Fact]
    public void Scratch_is_reusable_for_launches_of_any_size()
    {
        AttentionGeometry heads = new(4, 2, 64);
        using DecodeRun run = new(device, DType.F16, heads, 3, 5);
        foreach ((int sequences, int runs) in ((int, int)[])[(3, 5), (1, 2), (2, 1), (3, 3)])
        {
            using PagedProblem problem = new(device, DType.F16, heads, [.. Enumerable.Range(0, sequences).Select(index => new PagedSequence(90 * (index + 1), 1))], sequences);
            run.Launch(problem, runs);
            problem.Check();
        }
    }

    [Fact]
    public void Results_are_independent_of_the_launch()
    {
        AttentionGeometry heads = new(4, 2, 64);
        using PagedProblem problem = new(device, DType.F16, heads, [new(299, 1), new(200, 1)]);
        using DecodeRun run = new(device, DType.F16, heads, 2, 5);
        run.Launch(problem, 5);
        float[] first = problem.Download();
        run.Launch(problem, 5);
        Assert.Equal(first, problem.Download());
    }

    [Fact]
    public void Captured_launch_is_replayed_while_the_sequence_grows()
    {
        AttentionGeometry heads = new(4, 2, 64);
        using PagedProblem problem = new(device, DType.F16, heads, [new(299, 1)]);
        using DecodeRun run = new(device, DType.F16, heads, 1, 4);
        using CudaGraphExecutable graph = run.Capture(problem, 4);
        foreach (int past in (int[])[0, 63, 64, 190, 299])
        {
            problem.Replace(device, problem.Spans[0] with { PastLength = past });
            graph.Launch(device.Stream);
            problem.Check();
        }
    }

    [Fact]
    public void Runs_fill_the_device_and_share_pages_equally()
    {
        DecodeAttention kernel = new(DType.F16, new AttentionGeometry(32, 8, 128));
        Assert.Equal(1, kernel.ChooseRuns(46, 1, 1));
        Assert.Equal(11, kernel.ChooseRuns(46, 1, 21));
        Assert.Equal(7, kernel.ChooseRuns(38, 1, 21));
        Assert.Equal(21, kernel.ChooseRuns(108, 1, 21));
        Assert.Equal(10, kernel.ChooseRuns(38, 1, 64));
        Assert.Equal(1, kernel.ChooseRuns(46, 64, 64));
    }

    [Fact]
    public void Scratch_holds_partials_of_all_heads_after_the_counters()
    {
        DecodeAttention kernel = new(DType.F16, new AttentionGeometry(32, 8, 128));
        DecodeAttentionScratch scratch = kernel.Scratch(1, 11);
        Assert.Equal(32, scratch.StatesOffsetBytes);
        Assert.Equal(32 + (32 * 11 * 8), scratch.OutputsOffsetBytes);
        Assert.Equal(32 + (32 * 11 * 520), scratch.TotalBytes);
    }

    [Fact]
    public void Too_small_scratch_is_rejected()
    {
        DecodeAttention kernel = new(DType.F16, new AttentionGeometry(32, 8, 128));
        DecodeAttentionScratch scratch = kernel.Scratch(1, 11);
        DeviceSpan memory = new(new DevicePointer(4096), scratch.TotalBytes - 1);
        Assert.ThrowsAny<ArgumentException>(() => kernel.Arguments(default, default, default, 16, default, default, scratch, memory));
        Assert.ThrowsAny<ArgumentException>(() => kernel.Arguments(default, default, new DevicePointer(8), 16, default, default, scratch, memory));
    }

    private void Check(DType storage, AttentionGeometry heads, int runs, PagedSequence[] sequences)
    {
        using PagedProblem problem = new(device, storage, heads, sequences);
        using DecodeRun run = new(device, storage, heads, sequences.Length, runs);
        run.Launch(problem, runs);
        problem.Check();
    }
}

using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class MemoryBudgetTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(64, 1)]
    [InlineData(65, 2)]
    [InlineData(4096, 64)]
    public void Cache_size_is_in_whole_pages(long tokens, long pages)
    {
        Assert.Equal(pages, KeyValuePages.Count(tokens));
        Assert.Equal(pages * 64 * 2 * 8 * 128 * 4 * 32, KeyValuePages.Bytes(new AttentionGeometry(32, 8, 128), 32, tokens, CacheFormat.F32));
    }

    [Fact]
    public void Cache_size_overflow_is_an_error()
    {
        Assert.Throws<OverflowException>(() => KeyValuePages.Bytes(new AttentionGeometry(32, 8, 128), 32, long.MaxValue, CacheFormat.F32));
        Assert.Throws<ArgumentOutOfRangeException>(() => KeyValuePages.Count(-1));
    }

    [Fact]
    public void Plans_share_one_arena()
    {
        ExecutionPlan prefill = MemoryPlanner.Plan(SampleGraphs.Decoder(DecoderSizes.Tiny, 31, 2, 9));
        ExecutionPlan decode = MemoryPlanner.Plan(SampleGraphs.Decoder(DecoderSizes.Tiny, 1, 1, 0));
        MemoryItem arena = MemoryItem.Arena(decode, prefill);
        Assert.Equal(("arena, largest for prefill", prefill.ArenaBytes), (arena.Name, arena.Bytes));
        Assert.Throws<ArgumentException>(() => MemoryItem.Arena());
    }

    [Fact]
    public void Budget_states_sum_and_remainder()
    {
        var budget = new MemoryBudget([new MemoryItem("weights", 1000), MemoryItem.KeyValueCache(new AttentionGeometry(2, 1, 2), 3, 65, CacheFormat.F16)]);
        Assert.Equal("KV cache, 65 tokens in 2 pages of 64, F16", budget.Items[1].Name);
        Assert.Equal(1000 + (128 * 2 * 2 * 2 * 3), budget.TotalBytes);
        Assert.Equal(-4071, budget.RemainingBytes(1));
        Assert.Throws<OverflowException>(() => new MemoryBudget([new MemoryItem("a", long.MaxValue), new MemoryItem("b", 1)]).TotalBytes);
    }
}

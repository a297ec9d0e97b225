using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ShapeBucketsTests
{
    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(2, new[] { 1, 2 })]
    [InlineData(31, new[] { 1, 2, 4, 8, 16, 31 })]
    [InlineData(32, new[] { 1, 2, 4, 8, 16, 32 })]
    [InlineData(33, new[] { 1, 2, 4, 8, 16, 32, 33 })]
    public void Sizes_double_up_to_the_maximum(int maximum, int[] sizes) => Assert.Equal(sizes, new ShapeBuckets(maximum).Sizes);

    [Fact]
    public void Count_is_rounded_up_to_the_next_bucket()
    {
        foreach (int maximum in (int[])[1, 2, 3, 64, 443, 1000])
        {
            var buckets = new ShapeBuckets(maximum);
            for (int count = 1; count <= maximum; count++)
                Assert.Equal(buckets.Sizes.First(size => size >= count), buckets.RoundUp(count));
        }

        var largest = new ShapeBuckets(int.MaxValue);
        Assert.Equal(int.MaxValue, largest.RoundUp((1 << 30) + 1));
        Assert.Equal(32, largest.Sizes.Length);
    }

    [Fact]
    public void Counts_out_of_range_are_rejected()
    {
        var buckets = new ShapeBuckets(100);
        Assert.Contains("1 to 100", Assert.Throws<ArgumentOutOfRangeException>(() => buckets.RoundUp(101)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => buckets.RoundUp(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShapeBuckets(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => buckets.CapacityFor(new RowCounts(101, 1, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => buckets.CapacityFor(new RowCounts(3, 4, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => buckets.CapacityFor(new RowCounts(3, 1, -1)));
    }

    [Fact]
    public void Capacities_cover_the_counts()
    {
        var buckets = new ShapeBuckets(443);
        Assert.Equal(new RowCounts(443, 1, 0), buckets.CapacityFor(new RowCounts(257, 1, 0)));
        Assert.Equal(new RowCounts(443, 443, 0), buckets.CapacityFor(new RowCounts(300, 300, 0)));
        Assert.Equal(new RowCounts(0, 0, 4), buckets.CapacityFor(new RowCounts(0, 0, 3)));
        Assert.Equal(new RowCounts(8, 4, 0), buckets.CapacityFor(new RowCounts(5, 3, 0)));
    }
}

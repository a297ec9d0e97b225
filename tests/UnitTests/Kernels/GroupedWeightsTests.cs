using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The order of weights in groups on the device. No device is needed.</summary>
public sealed class GroupedWeightsTests
{
    /// <summary>A lane has rows g and g + 8 of its columns; the first two columns of four are in the registers before those of the others.</summary>
    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(0, 1, 0, 4)]
    [InlineData(8, 0, 0, 1)]
    [InlineData(8, 3, 0, 7)]
    [InlineData(0, 2, 0, 2)]
    [InlineData(0, 4, 1, 0)]
    [InlineData(0, 8, 4, 0)]
    [InlineData(1, 0, 16, 0)]
    [InlineData(0, 32, 2, 0)]
    [InlineData(15, 63, 127, 7)]
    public void A_nibble_lies_where_its_lane_wants_it(int row, int column, int word, int nibble)
    {
        byte[] rows = new byte[16 * 32], units = new byte[rows.Length];
        rows[(row * 32) + (column / 2)] = (byte)(0xF << (column % 2 * 4));
        GroupedWeights.PackInt4(rows, units, isSigned: false, []);
        Assert.Equal([(word, 0xFu << (4 * nibble))], Enumerable.Range(0, 128).Select(index => (index, BitConverter.ToUInt32(units, index * 4))).Where(found => found.Item2 != 0));
    }

    [Fact]
    public void Signed_nibbles_have_eight_added_and_columns_follow_the_order()
    {
        byte[] rows = new byte[16 * 64], units = new byte[rows.Length];
        new Random(3).NextBytes(rows);
        int[] order = [.. Enumerable.Range(0, 128)];
        new Random(4).Shuffle(order);
        GroupedWeights.PackInt4(rows, units, isSigned: true, order);
        byte[] straight = new byte[rows.Length], expected = new byte[rows.Length];
        for (int i = 0; i < 16 * 128; i++)
        {
            int source = (i / 128 * 128) + order[i % 128];
            straight[i / 2] |= (byte)((((rows[source / 2] >> (source % 2 * 4)) + 8) & 0xF) << (i % 2 * 4));
        }
        GroupedWeights.PackInt4(straight, expected, isSigned: false, []);
        Assert.Equal(expected, units);
    }

    [Fact]
    public void Scales_of_rows_that_a_lane_has_are_neighbours()
    {
        byte[] rows = [.. Enumerable.Range(0, 32).Select(index => (byte)index)], packed = new byte[32];
        GroupedWeights.PackGroups(rows, packed, 1);
        Assert.Equal([0, 16, 2, 18, 4, 20], packed[..6].Select(value => (int)value));
        Assert.Equal([1, 17, 3, 19], packed[16..20].Select(value => (int)value));
    }

    [Fact]
    public void Columns_of_a_group_become_neighbours()
    {
        Assert.Equal([1, 2, 0, 3], GroupedWeights.ColumnOrder([1, 0, 0, 1], 2));
        Assert.Equal([2, 3, 0, 1, 4], GroupedWeights.ColumnOrder([1, 1, 0, 0, 2], 2));
        Assert.Contains("found 2 for column 3", Assert.Throws<ArgumentException>(() => GroupedWeights.ColumnOrder([1, 0, 0, 2], 2)).Message, StringComparison.Ordinal);
        Assert.Contains("expected 2 columns of group 0, found more", Assert.Throws<ArgumentException>(() => GroupedWeights.ColumnOrder([0, 0, 0, 1], 2)).Message, StringComparison.Ordinal);
        Assert.Contains("expected 1 columns of group 2, found more", Assert.Throws<ArgumentException>(() => GroupedWeights.ColumnOrder([0, 1, 1, 2, 2], 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_strip_is_refused()
    {
        Assert.Throws<ArgumentException>(() => GroupedWeights.PackInt4(new byte[16 * 16], new byte[16 * 16], true, []));
        Assert.Throws<ArgumentException>(() => GroupedWeights.PackInt4(new byte[15 * 32], new byte[15 * 32], true, []));
        Assert.Throws<ArgumentException>(() => GroupedWeights.PackInt8(new byte[24], new byte[24], true, []));
        Assert.Throws<ArgumentException>(() => GroupedWeights.PackGroups(new byte[16], new byte[32], 1));
    }
}

using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Orders of rows and columns of weights. No device is needed.</summary>
public sealed class WeightOrderTests
{
    [Fact]
    public void Gate_and_up_take_turns_of_eight()
    {
        int[] expected = [.. Enumerable.Range(0, 8), .. Enumerable.Range(24, 8), .. Enumerable.Range(8, 8), .. Enumerable.Range(32, 8), .. Enumerable.Range(16, 8), .. Enumerable.Range(40, 8)];
        Assert.Equal(expected, Enumerable.Range(0, 48).Select(row => RowPermutation.GateUp(row, 24)));
    }

    [Fact]
    public void Halves_of_query_and_key_heads_take_turns_and_values_do_not()
    {
        int[] turns = [.. Enumerable.Range(0, 8), .. Enumerable.Range(16, 8), .. Enumerable.Range(8, 8), .. Enumerable.Range(24, 8)];
        // Two groups of two query heads, a key, a value, of 32 rows.
        int[] expected = [.. Enumerable.Range(0, 8).SelectMany(head => Enumerable.Range(0, 32).Select(row => (head * 32) + (head % 4 == 3 ? row : turns[row])))];
        Assert.Equal(expected, Enumerable.Range(0, 256).Select(row => RowPermutation.Rope(row, new AttentionGeometry(4, 2, 32))));
    }

    [Theory]
    [InlineData(32, 8, 128)]
    [InlineData(16, 8, 128)]
    [InlineData(4, 2, 64)]
    [InlineData(4, 4, 64)]
    [InlineData(2, 1, 128)]
    public void No_row_is_lost(int queryHeads, int keyValueHeads, int headSize)
    {
        AttentionGeometry heads = new(queryHeads, keyValueHeads, headSize);
        Assert.Equal(Enumerable.Range(0, heads.PackedColumns), Enumerable.Range(0, heads.PackedColumns).Select(row => RowPermutation.Rope(row, heads)).Order());
        Assert.Equal(Enumerable.Range(0, 2 * 384), Enumerable.Range(0, 2 * 384).Select(row => RowPermutation.GateUp(row, 384)).Order());
    }

    [Fact]
    public void Columns_of_int8_weights_stand_as_a_lane_wants_them()
    {
        int[] expected = [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];
        Assert.Equal([.. expected, .. expected.Select(column => column + 16)], Enumerable.Range(0, 32).Select(Int8ColumnOrder.Column));
        sbyte[] row = [.. Enumerable.Range(0, 16).Select(column => (sbyte)(column - 8))], ordered = new sbyte[16];
        Int8ColumnOrder.Apply(row, ordered);
        Assert.Equal(expected.Select(column => (sbyte)(column - 8)), ordered);

        sbyte[] rows = [.. Enumerable.Range(0, 7 * 48).Select(index => unchecked((sbyte)(index * 29)))], orderedRows = new sbyte[rows.Length];
        Int8ColumnOrder.Apply(rows, orderedRows);
        Assert.Equal(Enumerable.Range(0, rows.Length).Select(place => rows[Int8ColumnOrder.Column(place)]), orderedRows);
    }

    [Fact]
    public void What_has_no_order_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RowPermutation.GateUp(0, 12));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowPermutation.GateUp(16, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowPermutation.Rope(0, new AttentionGeometry(1, 1, 24)));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowPermutation.Rope(96, new AttentionGeometry(1, 1, 32)));
        Assert.Throws<ArgumentException>(() => Int8ColumnOrder.Apply(new sbyte[15], new sbyte[15]));
    }
}

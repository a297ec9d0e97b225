using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class PositionTableTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(24, 35)]
    [InlineData(24, 16)]
    [InlineData(1, 7)]
    public void A_constant_table_stays_constant_and_row_0_is_kept(int from, int to)
    {
        const int width = 3;
        float[] table = new float[((from * from) + 1) * width];
        for (int i = 0; i < table.Length; i++)
            table[i] = i < width ? -100 - i : (i % width) + 1;
        float[] resized = PositionTable.Resize(table, width, from, to);
        Assert.Equal(((to * to) + 1) * width, resized.Length);
        for (int i = 0; i < resized.Length; i++)
            Assert.Equal(i < width ? -100 - i : (i % width) + 1, resized[i], 1e-5f);
    }

    [Fact]
    public void The_same_size_is_a_copy()
    {
        float[] table = [.. Enumerable.Range(0, 10).Select(i => i * 0.1f)];
        Assert.Equal(table, PositionTable.Resize(table, 1, 3, 3));
    }

    /// <summary>2 to 4 in one dimension: t = 0.75 and 0.25, cubic convolution with a = -0.75, computed by hand.</summary>
    [Fact]
    public void Known_values()
    {
        float[] resized = PositionTable.Resize([9, 0, 1, 0, 1], 1, 2, 4);
        Assert.Equal(9, resized[0]);
        // Edges are repeated, so a row of (0, 1) becomes the weight of the taps that fall on the 1.
        float[] row = [-0.10546875f, 0.26171875f - 0.03515625f, 1 - 0.2265625f, 1.10546875f];
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 4; x++)
                Assert.Equal(row[x], resized[1 + (y * 4) + x], 1e-6f);
    }

    [Fact]
    public void Another_length_is_refused()
    {
        Assert.Throws<ArgumentException>(() => PositionTable.Resize(new float[9], 1, 3, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => PositionTable.Resize(new float[10], 0, 3, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => PositionTable.Resize(new float[10], 1, 3, 0));
    }
}

using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class RopeTableTests
{
    [Fact]
    public void Angles_match_the_original()
    {
        var table = new RopeTable(4096, 128, 1000000f);
        foreach (int position in new[] { 0, 1, 63, 1000, 4095 })
            for (int i = 0; i < 64; i++)
            {
                float angle = position * (1f / MathF.Pow(1000000f, 2 * i / 128f));
                Assert.Equal(Math.Cos(angle), table.Row(position)[i], 2e-3);
                double exact = position / Math.Pow(1000000.0, 2 * i / 128.0);
                Assert.Equal(Math.Sin(exact), table.Row(position)[64 + i], 2e-3);
            }
    }

    [Fact]
    public void Only_blocks_with_a_used_position_are_allocated()
    {
        var table = new RopeTable(1 << 20, 1024, 10000f);
        Assert.Equal(0, table.AllocatedBytes);
        _ = table.Row(0)[0] + table.Row(RopeTable.BlockPositions - 1)[0] + table.Row((1 << 20) - 1)[0];
        Assert.Equal(2 * RopeTable.Bytes(RopeTable.BlockPositions, 1024), table.AllocatedBytes);
    }

    [Fact]
    public void All_positions_take_the_planned_bytes_from_any_number_of_threads()
    {
        const int Positions = 700;
        var table = new RopeTable(Positions, 6, 10000f);
        Parallel.For(0, 8 * Positions, i =>
        {
            float* row = table.Row(i % Positions);
            Assert.Equal(1, (row[0] * row[0]) + (row[3] * row[3]), 1e-5);
        });
        Assert.Equal(RopeTable.Bytes(Positions, 6), table.AllocatedBytes);
        Assert.Equal((float)Math.Cos(699), table.Row(699)[0]);
    }

    [Fact]
    public void Odd_head_sizes_and_non_finite_wavelengths_are_rejected()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RopeTable(4, 7, 10000f));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RopeTable(4, 8, float.NaN));
    }

    [Fact]
    public void Positions_outside_the_table_are_rejected()
    {
        var table = new RopeTable(4, 8, 10000f);
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Row(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Row(-1));
    }
}

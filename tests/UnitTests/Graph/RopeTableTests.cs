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

using Xunit;
using XComposer2.Native.Graph;

namespace XComposer2.Native.UnitTests;

public sealed class ShapeTests
{
    [Fact]
    public void Equal_sizes_are_equal_shapes() => Assert.Equal(new Shape(2, 3), new Shape(2, 3));

    [Fact]
    public void Element_count_that_overflows_throws()
    {
        var shape = new Shape(int.MaxValue, int.MaxValue, int.MaxValue);
        Assert.Throws<OverflowException>(() => shape.ElementCount);
    }
}

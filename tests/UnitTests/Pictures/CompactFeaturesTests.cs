using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class CompactFeaturesTests
{
    [Theory]
    [InlineData(1024)]
    [InlineData(16384)]
    public void Cosines_near_one_are_preserved(int width)
    {
        Random random = new(width);
        for (int round = 0; round < 20; round++)
        {
            float[] first = Random(random, width);
            float[] other = Random(random, width);
            float wanted = 0.98f + (0.001f * round);
            float side = MathF.Sqrt(1 - (wanted * wanted));
            float[] second = [.. first.Zip(other, (x, y) => (wanted * x) + (side * y))];
            Assert.Equal(wanted, Cosine(first, second), 0.006f);
            Assert.InRange(Cosine(first, other), -0.3f, 0.3f);
        }
    }

    [Fact]
    public void Features_of_any_length_and_scale_give_a_row()
    {
        float[] features = Random(new Random(1), 77);
        Assert.Equal(1f, Cosine(features, [.. features.Select(value => value * 1e20f)]), 1e-3f);
        Assert.All(CompactFeatures.From([]), value => Assert.Equal(0, value));
        Assert.All(CompactFeatures.From([1, float.NaN]), value => Assert.Equal(0, value));
        Assert.All(CompactFeatures.From([1, float.PositiveInfinity]), value => Assert.Equal(0, value));
        Assert.Equal(0f, Cosine([0, 0], [0, 0]));
    }

    private static float Cosine(float[] first, float[] second)
    {
        float[] rows = new float[2 * CompactFeatures.Length];
        CompactFeatures.Widen(CompactFeatures.From(first), rows.AsSpan(0, CompactFeatures.Length));
        CompactFeatures.Widen(CompactFeatures.From(second), rows.AsSpan(CompactFeatures.Length));
        return CompactFeatures.Cosine(rows.AsSpan(0, CompactFeatures.Length), rows.AsSpan(CompactFeatures.Length));
    }

    // Unit vectors, so that two of them are nearly orthogonal.
    private static float[] Random(Random random, int width)
    {
        double[] values = [.. Enumerable.Range(0, width).Select(_ => random.NextDouble() - 0.5)];
        double norm = Math.Sqrt(values.Sum(value => value * value));
        return [.. values.Select(value => (float)(value / norm))];
    }
}

using Xunit;

namespace XComposer2.Native.UnitTests;

public class PictureFeaturesTests
{
    [Fact]
    public void Quarters_are_means_of_their_rows_with_a_common_scale()
    {
        // A 3 x 3 grid: the first two rows and columns belong to the first half.
        float[] rows = [1, 3, 10, 5, 7, 20, 2, 4, 30];
        float[] means = [4, 15, 3, 30];
        float norm = MathF.Sqrt(means.Sum(mean => mean * mean));
        float[] pooled = PictureFeatures.Pool(rows, 3);
        Assert.Equal(4, pooled.Length);
        for (int part = 0; part < pooled.Length; part++)
            Assert.Equal(means[part] / norm, pooled[part], 1e-6f);
    }

    [Fact]
    public void Each_quarter_has_all_columns_and_zeros_stay_zero()
    {
        float[] pooled = PictureFeatures.Pool([1, 0, 0, 2, 3, 0, 0, 4], 2);
        float norm = MathF.Sqrt(30);
        Assert.Equal([1 / norm, 0, 0, 2 / norm, 3 / norm, 0, 0, 4 / norm], pooled.Select(value => value), (left, right) => MathF.Abs(left - right) < 1e-6f);
        Assert.All(PictureFeatures.Pool(new float[8], 2), value => Assert.Equal(0, value));
        Assert.Equal(4, PictureFeatures.Pool([5], 1).Length);
    }
}

using Xunit;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

public class ImagePreprocessorTests
{
    [Theory]
    [InlineData(4, 1, 1, 0)]
    [InlineData(1, 4, 0, 1)]
    [InlineData(5, 2, 1, 0)]
    public void Padding_is_black_and_centred_with_the_odd_pixel_behind(int width, int height, int top, int left)
    {
        byte[] white = new byte[3 * width * height];
        Array.Fill(white, (byte)255);
        RgbImage padded = ImagePreprocessor.PadToSquare(new(width, height, white));
        int side = Math.Max(width, height);
        Assert.Equal((side, side), (padded.Width, padded.Height));
        for (int row = 0; row < side; row++)
            for (int column = 0; column < side; column++)
            {
                bool inside = row >= top && row < top + height && column >= left && column < left + width;
                Assert.Equal(inside ? 255 : 0, padded.Pixels.Span[3 * (row * side + column)]);
            }
    }

    [Fact]
    public void Every_value_of_the_destination_is_written_channel_by_channel()
    {
        float[] values = new float[3 * 31 * 31];
        Array.Fill(values, float.NaN);
        byte[] pixels = [0, 128, 255];
        ImagePreprocessor.Run(new(1, 1, pixels), 31, SquareMode.SquarePad, values);
        Assert.All(values[..961], value => Assert.Equal((0 - 0.48145466) / 0.26862954, value, 1e-6));
        Assert.All(values[961..1922], value => Assert.Equal((128 / 255.0 - 0.4578275) / 0.26130258, value, 1e-6));
        Assert.All(values[1922..], value => Assert.Equal((1 - 0.40821073) / 0.27577711, value, 1e-6));
    }

    [Fact]
    public void A_destination_of_another_length_is_refused() =>
        Assert.Throws<ArgumentException>(() => ImagePreprocessor.Run(new(1, 1, new byte[3]), 14, SquareMode.Squash, new float[3 * 14 * 14 + 1]));

    [Theory]
    [InlineData(37, 23, 11, 50)]
    [InlineData(3, 3, 490, 1)]
    [InlineData(443, 31, 1, 7)]
    [InlineData(2, 1, 1, 2)]
    [InlineData(64, 9, 33, 9)]
    public void Resize_equals_the_plain_sum_over_neighbours(int width, int height, int newWidth, int newHeight)
    {
        byte[] pixels = new byte[3 * width * height];
        new Random(width).NextBytes(pixels);
        RgbImage image = new(width, height, pixels);
        byte[] expected = Reference(Reference(pixels, height, width, 3, newWidth), 1, height, 3 * newWidth, newHeight);
        Assert.Equal(expected, PillowResize.Bicubic(image, newWidth, newHeight).Pixels.ToArray());
    }

    [Fact]
    public void Equal_pixels_hash_alike_and_other_ones_do_not()
    {
        byte[] pixels = [1, 2, 3, 4, 5, 6];
        ImageContentHash wide = ImageContentHash.Of(new(2, 1, pixels), SquareMode.Squash);
        Assert.Equal(wide, ImageContentHash.Of(new(2, 1, (byte[])pixels.Clone()), SquareMode.Squash));
        Assert.NotEqual(wide, ImageContentHash.Of(new(1, 2, pixels), SquareMode.Squash));
        Assert.NotEqual(wide, ImageContentHash.Of(new(2, 1, pixels), SquareMode.SquarePad));
        Assert.NotEqual(wide, ImageContentHash.Of(new(2, 1, [1, 2, 3, 4, 5, 7]), SquareMode.Squash));
        Assert.Equal(64, wide.ToString().Length);
    }

    // One axis of [outer, size, inner] by the definition, in doubles; ties of the fixed-point weights do not occur at these sizes.
    private static byte[] Reference(byte[] source, int outer, int size, int inner, int newSize)
    {
        if (size == newSize) return source;
        byte[] target = new byte[outer * newSize * inner];
        double scale = (double)size / newSize, stretch = Math.Max(1, scale);
        for (int index = 0; index < newSize; index++)
        {
            double center = (index + 0.5) * scale;
            int start = Math.Max(0, (int)(center - 2 * stretch + 0.5)), end = Math.Min(size, (int)(center + 2 * stretch + 0.5));
            double[] weights = [.. Enumerable.Range(start, end - start).Select(tap => Keys((tap + 0.5 - center) / stretch))];
            double total = weights.Sum();
            for (int block = 0; block < outer; block++)
                for (int lane = 0; lane < inner; lane++)
                {
                    long sum = 1 << 21;
                    for (int tap = 0; tap < weights.Length; tap++)
                        sum += (long)Math.Round(weights[tap] / total * (1 << 22), MidpointRounding.AwayFromZero) * source[(block * size + start + tap) * inner + lane];
                    target[(block * newSize + index) * inner + lane] = (byte)Math.Clamp(sum >> 22, 0, 255);
                }
        }
        return target;
    }

    private static double Keys(double x)
    {
        x = Math.Abs(x);
        return x < 1 ? 1.5 * x * x * x - 2.5 * x * x + 1 : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0;
    }
}

using Xunit;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

public class ImageGoldenTests
{
    /// <summary>
    /// The witness summed its statistics in float32: its mean of a picture of one colour is up to 3.5e-4 off that colour's value.
    /// One level of one channel everywhere would be 1.4e-2.
    /// </summary>
    private const double StatisticsTolerance = 5e-4;

    [Fact]
    public void Pictures_of_this_clone_become_what_pillow_makes_of_them() => CheckAll(TestPaths.Golden("images"));

    [Fact]
    public void Shared_pictures_become_what_pillow_makes_of_them() => CheckAll(TestPaths.Shared("golden/images"));

    private static void CheckAll(string folder)
    {
        foreach (ImageCase golden in ImageCase.ReadAll(folder)) Check(golden);
    }

    private static void Check(ImageCase golden)
    {
        string label = $"{Path.GetFileName(golden.File)} at {golden.Size}";
        RgbImage source = ImageDecoder.DecodeFile(golden.File, ImageLimits.Default);
        Assert.Equal((golden.SourceSize[0], golden.SourceSize[1]), (source.Width, source.Height));
        RgbImage expected = ImageDecoder.DecodeFile(golden.Expected, ImageLimits.Default);
        RgbImage found = PillowResize.Bicubic(source, golden.Size, golden.Size);
        Assert.True(found.Pixels.Span.SequenceEqual(expected.Pixels.Span), $"{label}: pixels differ from the expected picture");

        float[] values = new float[3 * golden.Size * golden.Size];
        // The statistics also witness our decoding of the expected PNG, which the comparison above rests on.
        ImagePreprocessor.Run(expected, golden.Size, SquareMode.Squash, values);
        CheckStatistics(golden, values, label);
        float[] own = new float[values.Length];
        ImagePreprocessor.Run(source, golden.Size, SquareMode.Squash, own);
        Assert.Equal(values, own);
    }

    private static void CheckStatistics(ImageCase golden, float[] values, string label)
    {
        int plane = golden.Size * golden.Size;
        for (int channel = 0; channel < 3; channel++)
        {
            ReadOnlySpan<float> part = values.AsSpan(channel * plane, plane);
            double sum = 0, squares = 0;
            foreach (float value in part) sum += value;
            double mean = sum / plane;
            foreach (float value in part) squares += (value - mean) * (value - mean);
            // The witness may divide by n or by n - 1.
            double deviation = Math.Sqrt(squares / (plane - 1)), populationDeviation = Math.Sqrt(squares / plane);
            Near(golden.Mean[channel], mean, StatisticsTolerance, $"{label}: mean");
            double stated = golden.Deviation[channel];
            Near(stated, Math.Abs(stated - deviation) < Math.Abs(stated - populationDeviation) ? deviation : populationDeviation, StatisticsTolerance, $"{label}: deviation");
            Near(golden.First[channel], part[0], 1e-6, $"{label}: first pixel");
            Near(golden.Last[channel], part[^1], 1e-6, $"{label}: last pixel");
        }
    }

    private static void Near(double expected, double found, double tolerance, string label) =>
        Assert.True(Math.Abs(expected - found) <= tolerance, $"{label}: expected {expected}, found {found}");
}

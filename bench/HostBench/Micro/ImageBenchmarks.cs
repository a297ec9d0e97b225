using BenchmarkDotNet.Attributes;
using XComposer2.Native.Model;

namespace XComposer2.Native.HostBench;

/// <summary>Preprocessing of a photograph for the vision tower.</summary>
[InProcess]
[WarmupCount(3)]
[IterationCount(10)]
[MemoryDiagnoser]
public class ImageBenchmarks
{
    private readonly RgbImage photograph = new(1920, 1080, Pixels());

    private readonly float[] tower = new float[3 * 490 * 490];

    [Benchmark]
    public void ResizeAndNormalise() => ImagePreprocessor.Run(photograph, 490, SquareMode.Squash, tower);

    private static byte[] Pixels()
    {
        var pixels = new byte[1920 * 1080 * 3];
        new Random(1).NextBytes(pixels);
        return pixels;
    }
}

using XComposer2.Native.Model;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.UnitTests;

/// <summary>A model that returns the mean colour of a picture as features and names its strongest channel in captions.</summary>
internal sealed class FakePictureModel : IPictureModel
{
    private static readonly string[] colors = ["red", "green", "blue"];

    public string Fingerprint { get; init; } = "fake 1";

    public List<string> Encoded { get; } = [];

    public List<string> Captioned { get; } = [];

    /// <summary>Called before a picture is processed.</summary>
    public Action<string> Before { get; set; } = _ => { };

    public Task<ReadOnlyMemory<float>> FeaturesAsync(ReadOnlyMemory<byte> bytes, string name, CancellationToken cancellationToken)
    {
        Before(name);
        cancellationToken.ThrowIfCancellationRequested();
        float[] mean = Mean(bytes, name);
        Encoded.Add(name);
        return Task.FromResult<ReadOnlyMemory<float>>(mean.Select(value => value - 128).ToArray());
    }

    public Task<IReadOnlyList<string>> CaptionsAsync(ReadOnlyMemory<byte> bytes, string name, CancellationToken cancellationToken)
    {
        float[] mean = Mean(bytes, name);
        Captioned.Add(name);
        int strongest = Array.IndexOf(mean, mean.Max());
        return Task.FromResult<IReadOnlyList<string>>([$"The image shows something {colors[strongest]}.", $"图中有{"红绿蓝"[strongest]}色的东西。"]);
    }

    private static float[] Mean(ReadOnlyMemory<byte> bytes, string name)
    {
        RgbImage image = ImageDecoder.Decode(bytes, name, ImageLimits.Default);
        float[] mean = new float[3];
        for (int index = 0; index < image.Pixels.Length; index++)
            mean[index % 3] += image.Pixels.Span[index] * 3f / image.Pixels.Length;
        return mean;
    }
}

using System.Diagnostics;
using System.Runtime.CompilerServices;
using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>Decodes and encodes the pictures of one message, those that were seen before only up to their pixels. Keeps the time.</summary>
internal sealed class ImageEncoder(XComposerEngine engine)
{
    /// <summary>Reading and resizing.</summary>
    public TimeSpan DecodeTime { get; private set; }

    /// <summary>Vision tower and projector.</summary>
    public TimeSpan VisionTime { get; private set; }

    /// <exception cref="ImageException">A picture is damaged, too large, or no picture.</exception>
    public List<ImageEmbedding> Encode(IReadOnlyList<ImageInput> inputs, CancellationToken cancellation)
    {
        var embeddings = new List<ImageEmbedding>(inputs.Count);
        foreach (ImageInput input in inputs)
        {
            cancellation.ThrowIfCancellationRequested();
            embeddings.Add(Encode(input, cancellation));
        }

        return embeddings;
    }

    private ImageEmbedding Encode(ImageInput input, CancellationToken cancellation)
    {
        if (input.KnownHash is { } seen && engine.Images.TryGet(seen.Value, out ImageEmbedding? kept))
            return kept!;
        long start = Stopwatch.GetTimestamp();
        RgbImage image = input.Bytes is { } bytes
            ? ImageDecoder.Decode(bytes, input.Name, ImageLimits.Default)
            : ImageDecoder.DecodeFile(input.Name, ImageLimits.Default);
        ImageContentHash hash = ImageContentHash.Of(image, SquareMode.Squash);
        if (input.Bytes is not null)
            input.KnownHash = new StrongBox<ImageContentHash>(hash);
        if (engine.Images.TryGet(hash, out ImageEmbedding? known))
        {
            DecodeTime += Stopwatch.GetElapsedTime(start);
            return known!;
        }

        int size = engine.Config.ImageSize;
        var pixels = new float[3 * size * size];
        ImagePreprocessor.Run(image, size, SquareMode.Squash, pixels);
        DecodeTime += Stopwatch.GetElapsedTime(start);

        start = Stopwatch.GetTimestamp();
        var embedding = new ImageEmbedding(hash, engine.Config.TokensPerImage, engine.Runner.EncodeImage(pixels, cancellation));
        VisionTime += Stopwatch.GetElapsedTime(start);
        engine.Images.Add(embedding);
        return embedding;
    }
}

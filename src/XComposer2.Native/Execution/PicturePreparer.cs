using System.Diagnostics;
using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>Decodes and resizes pictures, a few at a time and never on the engine thread. What was seen before is decoded only up to its hash. Safe to use
/// from several threads.</summary>
internal sealed class PicturePreparer : IDisposable
{
    private const long KeptBytes = 64L << 20;

    private readonly int imageSize;
    private readonly int tokensPerImage;
    private readonly SemaphoreSlim room = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly Lock gate = new();
    private readonly RecentPictures recent = new(KeptBytes);

    public PicturePreparer(ModelConfig config)
    {
        imageSize = config.ImageSize;
        tokensPerImage = config.TokensPerImage;
    }

    /// <param name="input">As the user gave it.</param>
    /// <param name="cancellation">Ends the decoding too.</param>
    /// <exception cref="ImageException">The picture is damaged, too large, or no picture.</exception>
    public async Task<TimedPicture> PrepareAsync(ImageInput input, CancellationToken cancellation)
    {
        if (input.KnownHash is { } seen && Find(seen) is { } kept)
            return new TimedPicture(kept, TimeSpan.Zero);
        await room.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Prepare(input, cancellation), cancellation).ConfigureAwait(false);
        }
        finally
        {
            room.Release();
        }
    }

    public void Dispose() => room.Dispose();

    private TimedPicture Prepare(ImageInput input, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        RgbImage image = input.Bytes is { } bytes
            ? ImageDecoder.Decode(bytes, input.Name, ImageLimits.Default, input.Orientation, cancellation)
            : ImageDecoder.DecodeFile(input.Name, ImageLimits.Default, input.Orientation, cancellation);
        ImageContentHash hash = ImageContentHash.Of(image, input.Square);
        if (input.Bytes is not null)
            input.KnownHash = hash;
        if (Find(hash) is not { } picture)
        {
            var pixels = new float[3 * imageSize * imageSize];
            ImagePreprocessor.Run(image, imageSize, input.Square, pixels);
            picture = new PreparedPicture(hash, tokensPerImage, pixels);
            lock (gate)
                recent.Add(picture);
        }

        return new TimedPicture(picture, Stopwatch.GetElapsedTime(start));
    }

    private PreparedPicture? Find(ImageContentHash hash)
    {
        lock (gate)
            return recent.TryGet(hash, out PreparedPicture? picture) ? picture : null;
    }
}

/// <summary>A prepared picture.</summary>
/// <param name="Picture">The picture.</param>
/// <param name="Time">What decoding and resizing took; zero where it was known.</param>
internal sealed record TimedPicture(PreparedPicture Picture, TimeSpan Time);

/// <summary>Prepared pictures by their pixels, the least recently used dropped first. Not thread-safe.</summary>
/// <param name="capacityBytes">What is kept alive at most; one picture is always kept.</param>
internal sealed class RecentPictures(long capacityBytes)
{
    private readonly Dictionary<ImageContentHash, LinkedListNode<PreparedPicture>> byHash = [];
    private readonly LinkedList<PreparedPicture> byUse = [];
    private long bytes;

    public bool TryGet(ImageContentHash hash, out PreparedPicture? picture)
    {
        picture = null;
        if (!byHash.TryGetValue(hash, out LinkedListNode<PreparedPicture>? node))
            return false;
        byUse.Remove(node);
        byUse.AddFirst(node);
        picture = node.Value;
        return true;
    }

    public void Add(PreparedPicture picture)
    {
        if (byHash.ContainsKey(picture.Hash))
            return;
        byHash.Add(picture.Hash, byUse.AddFirst(picture));
        bytes += SizeBytes(picture);
        while (bytes > capacityBytes && byUse.Count > 1)
        {
            PreparedPicture oldest = byUse.Last!.Value;
            byUse.RemoveLast();
            byHash.Remove(oldest.Hash);
            bytes -= SizeBytes(oldest);
        }
    }

    private static long SizeBytes(PreparedPicture picture) => picture.Pixels.LongLength * sizeof(float);
}

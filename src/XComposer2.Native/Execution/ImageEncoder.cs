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

/// <summary>What the decoder sees of one picture. Immutable.</summary>
/// <param name="Hash">Of the picture's pixels.</param>
/// <param name="TokenCount">Positions that the picture takes.</param>
/// <param name="Rows">[TokenCount, hidden].</param>
internal sealed record ImageEmbedding(ImageContentHash Hash, int TokenCount, float[] Rows);

/// <summary>Encoded pictures by their pixels, the least recently used dropped first. Not thread-safe.</summary>
/// <param name="capacityBytes">What the cache keeps alive at most; one picture is always kept.</param>
internal sealed class ImageEmbeddingCache(long capacityBytes)
{
    private readonly Dictionary<ImageContentHash, LinkedListNode<ImageEmbedding>> byHash = [];
    private readonly LinkedList<ImageEmbedding> byUse = [];
    private long bytes;

    public bool TryGet(ImageContentHash hash, out ImageEmbedding? embedding)
    {
        embedding = null;
        if (!byHash.TryGetValue(hash, out LinkedListNode<ImageEmbedding>? node))
            return false;
        byUse.Remove(node);
        byUse.AddFirst(node);
        embedding = node.Value;
        return true;
    }

    public void Add(ImageEmbedding embedding)
    {
        if (byHash.ContainsKey(embedding.Hash))
            return;
        byHash.Add(embedding.Hash, byUse.AddFirst(embedding));
        bytes += SizeBytes(embedding);
        while (bytes > capacityBytes && byUse.Count > 1)
        {
            ImageEmbedding oldest = byUse.Last!.Value;
            byUse.RemoveLast();
            byHash.Remove(oldest.Hash);
            bytes -= SizeBytes(oldest);
        }
    }

    private static long SizeBytes(ImageEmbedding embedding) => embedding.Rows.LongLength * sizeof(float);
}

/// <summary>One vector for a whole picture.</summary>
internal static class PictureFeatures
{
    /// <summary>A picture is told apart also by where in it things are: in which of two times two parts.</summary>
    private const int PartsOfSide = 2;

    /// <summary>Means of the rows of each quarter of the picture, one behind the other, scaled to unit length together.</summary>
    /// <param name="rows">[grid x grid, hidden].</param>
    /// <param name="grid">Rows of a picture's side.</param>
    /// <returns>[4 x hidden].</returns>
    public static float[] Pool(ReadOnlySpan<float> rows, int grid)
    {
        int hidden = rows.Length / (grid * grid);
        float[] pooled = new float[PartsOfSide * PartsOfSide * hidden];
        int[] counts = new int[PartsOfSide * PartsOfSide];
        for (int y = 0; y < grid; y++)
            for (int x = 0; x < grid; x++)
            {
                int part = (y * PartsOfSide / grid * PartsOfSide) + (x * PartsOfSide / grid);
                counts[part]++;
                Add(pooled.AsSpan(part * hidden, hidden), rows.Slice(((y * grid) + x) * hidden, hidden));
            }

        double squares = 0;
        for (int index = 0; index < pooled.Length; index++)
        {
            pooled[index] /= Math.Max(1, counts[index / hidden]);
            squares += (double)pooled[index] * pooled[index];
        }

        float scale = squares > 0 ? (float)(1 / Math.Sqrt(squares)) : 0;
        for (int index = 0; index < pooled.Length; index++)
            pooled[index] *= scale;
        return pooled;
    }

    private static void Add(Span<float> sums, ReadOnlySpan<float> row)
    {
        for (int index = 0; index < row.Length; index++)
            sums[index] += row[index];
    }
}

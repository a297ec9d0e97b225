using XComposer2.Native.Model;

namespace XComposer2.Native;

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

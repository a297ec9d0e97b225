using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

internal static class AttentionGuards
{
    public static void RequireHeadSize(int headSize)
    {
        if (headSize is < 8 or > 1024 || headSize % 8 != 0)
            throw new ArgumentOutOfRangeException(nameof(headSize), headSize, "expected a multiple of 8 up to 1024");
    }

    /// <summary>Refuses a cache view of another layout than the layer's.</summary>
    public static void RequireGeometry(AttentionGeometry geometry, in KvLayerView cache)
    {
        RequireHeadSize(geometry.HeadSize);
        if (geometry.KeyValueHeads < 1 || geometry.QueryHeads < 1 || geometry.QueryHeads % geometry.KeyValueHeads != 0)
            throw new ArgumentException($"expected query heads that are a multiple of the key/value heads, found {geometry}", nameof(geometry));
        if (cache.KeyValueHeads != geometry.KeyValueHeads || cache.HeadSize != geometry.HeadSize)
            throw new ArgumentException(
                $"the cache holds {cache.KeyValueHeads} heads of {cache.HeadSize}, the layer has {geometry.KeyValueHeads} of {geometry.HeadSize}", nameof(cache));
    }
}

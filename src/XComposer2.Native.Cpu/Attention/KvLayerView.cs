using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Keys and values of one layer in a paged cache. A page holds <see cref="PageTokens"/> tokens of all layers; per layer,
/// keys [kvHeads, 64, d] are followed by values [kvHeads, 64, d]. In a format with scales, the scales [64] of a head follow its elements. Does not own the pages.</summary>
public readonly unsafe struct KvLayerView
{
    /// <summary>Tokens per page.</summary>
    public const int PageTokens = 64;

    private readonly nint layerBase;

    private readonly nint headBytes;

    /// <param name="pages">First byte of physical page 0.</param>
    /// <param name="pageBytes">Page stride in bytes: at least layers x <see cref="LayerBytes"/>.</param>
    /// <param name="pageCount">Number of physical pages.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="keyValueHeads">Key/value heads per layer.</param>
    /// <param name="headSize">Elements per head.</param>
    /// <param name="format">Storage of keys and values.</param>
    public KvLayerView(nint pages, long pageBytes, int pageCount, int layer, int keyValueHeads, int headSize, CacheFormat format = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pages);
        ArgumentOutOfRangeException.ThrowIfNegative(pageCount);
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        long layerBytes = LayerBytes(keyValueHeads, headSize, format);
        ArgumentOutOfRangeException.ThrowIfLessThan(pageBytes, checked((layer + 1L) * layerBytes));
        PageBytes = pageBytes;
        PageCount = pageCount;
        KeyValueHeads = keyValueHeads;
        HeadSize = headSize;
        Format = format;
        layerBase = pages + (nint)(layer * layerBytes);
        headBytes = (nint)(layerBytes / (2 * keyValueHeads));
    }

    public long PageBytes { get; }

    public int PageCount { get; }

    public int KeyValueHeads { get; }

    public int HeadSize { get; }

    /// <summary>Storage of keys and values (rounded to nearest on append).</summary>
    public CacheFormat Format { get; }

    /// <summary>Bytes per layer and page.</summary>
    public static long LayerBytes(int keyValueHeads, int headSize, CacheFormat format = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keyValueHeads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(headSize, 1);
        return checked(2L * keyValueHeads * PageTokens * format.HeadBytes(headSize));
    }

    /// <summary>Scales [64] of one head's keys or values, stored after its elements. For integer formats only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* Scales(nint head, int headSize) => (float*)(head + (PageTokens * (nint)headSize));

    /// <summary>Address of the keys [64, d] of one head in a physical page. Unchecked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Key(int page, int keyValueHead) => layerBase + (page * (nint)PageBytes) + (keyValueHead * headBytes);

    /// <summary>Address of the values [64, d] of one head in a physical page. Unchecked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Value(int page, int keyValueHead) => Key(page, keyValueHead + KeyValueHeads);
}

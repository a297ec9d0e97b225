using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Keys and values of one layer in a paged cache. One page holds <see cref="PageTokens"/> tokens of all layers; a layer's part is
/// keys [kvHeads, 64, d], then values [kvHeads, 64, d], where each head's scales [64] follow it if the format has scales. Does not own the pages.</summary>
public readonly unsafe struct KvLayerView
{
    /// <summary>Tokens of one page.</summary>
    public const int PageTokens = 64;

    private readonly nint layerBase;

    private readonly nint headBytes;

    /// <param name="pages">First byte of physical page 0.</param>
    /// <param name="pageBytes">Bytes from one page to the next: at least layers x <see cref="LayerBytes"/>.</param>
    /// <param name="pageCount">Physical pages there are.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="keyValueHeads">Key/value heads of each layer.</param>
    /// <param name="headSize">Floats of one head.</param>
    /// <param name="format">How keys and values are stored.</param>
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

    /// <summary>How keys and values are stored; they are rounded to nearest when appended.</summary>
    public CacheFormat Format { get; }

    /// <summary>Bytes of one layer in one page.</summary>
    public static long LayerBytes(int keyValueHeads, int headSize, CacheFormat format = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keyValueHeads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(headSize, 1);
        return checked(2L * keyValueHeads * PageTokens * format.HeadBytes(headSize));
    }

    /// <summary>Scales [64] of one head's keys or values, which follow its elements. Of integers alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* Scales(nint head, int headSize) => (float*)(head + (PageTokens * (nint)headSize));

    /// <summary>Address of keys [64, d] of one head in one physical page. Not checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Key(int page, int keyValueHead) => layerBase + (page * (nint)PageBytes) + (keyValueHead * headBytes);

    /// <summary>Address of values [64, d] of one head in one physical page. Not checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Value(int page, int keyValueHead) => Key(page, keyValueHead + KeyValueHeads);
}

using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>What the kernels over the paged cache have in common.</summary>
internal static class PagedAttentionHeads
{
    private const int MostQueriesOfAKey = 8, AccessBytes = 16;

    public static void Require(AttentionGeometry heads)
    {
        if (heads.HeadSize is not (64 or 128)) throw new ArgumentOutOfRangeException(nameof(heads), heads, "heads have 64 or 128 columns");
        if (heads.KeyValueHeads < 1 || heads.QueryHeads % heads.KeyValueHeads != 0 || heads.GroupSize is < 1 or > MostQueriesOfAKey)
            throw new ArgumentOutOfRangeException(nameof(heads), heads, $"1 to {MostQueriesOfAKey} query heads share a key/value head");
    }

    public static void RequireCache(DType storage, bool hasInt8Cache)
    {
        if (hasInt8Cache && !DeviceCaches.Has(CacheFormat.Int8, storage))
            throw new ArgumentException($"expected F16 or BF16 beside an int8 cache, found {storage}", nameof(storage));
    }

    public static void RequireAligned(DevicePointer layer, long pageBytes)
    {
        if (layer.Address % AccessBytes != 0 || pageBytes % AccessBytes != 0)
            throw new ArgumentException($"pages of {pageBytes} bytes from {layer} on: keys are read {AccessBytes} bytes at a time", nameof(layer));
    }

    /// <summary>Queries, outputs, and each key and value once; two products of the head size for each row and key that it sees.</summary>
    public static KernelCost Cost(SequenceSpan span, AttentionGeometry heads, DType storage, bool hasInt8Cache)
    {
        if (span.RowCount == 0) return default;
        long pairs = ((long)span.RowCount * span.PastLength) + (span.RowCount * (span.RowCount + 1L) / 2);
        CacheFormat cache = hasInt8Cache ? CacheFormat.Int8 : CacheFormat.Of(storage);
        long bytes = (2L * span.RowCount * heads.QueryColumns * storage.ElementBytes()) + (2L * span.Length * heads.KeyValueHeads * cache.HeadBytes(heads.HeadSize));
        return new KernelCost(bytes, 4 * pairs * heads.QueryColumns);
    }
}

/// <summary>The part of a step that belongs to one sequence, as kernels read it from device memory (<c>common/sequence_span.cuh</c>):
/// row FirstRow + i sits at position PastLength + i.</summary>
/// <param name="FirstRow">Row of the step.</param>
/// <param name="RowCount">Rows of the sequence in the step; 0 in a place that no sequence has.</param>
/// <param name="PastLength">Tokens that were in the cache before the step.</param>
/// <param name="FirstPage">Entry of the page table that names the physical page of positions 0 to 63; the next ones follow.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SequenceSpan(int FirstRow, int RowCount, int PastLength, int FirstPage)
{
    /// <summary>Tokens of one page.</summary>
    public const int PageTokens = 64;

    /// <summary>Tokens of the sequence once the step's rows are in the cache.</summary>
    public int Length => PastLength + RowCount;

    /// <summary>Entries of the page table that the sequence has in use once the step's rows are in the cache.</summary>
    public int PageCount => (Length + PageTokens - 1) / PageTokens;
}

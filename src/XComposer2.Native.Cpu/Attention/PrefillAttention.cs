using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Several rows of one sequence against its pages.</summary>
internal static unsafe class PrefillAttention
{
    private const int TilesPerBlock = 2;

    public static int WorkerFloats(int headSize) =>
        (TilesPerBlock * AttentionTile.Floats(headSize)) + (AttentionTile.KeyBlock * PanelProduct.MostColumns)
        + (2 * AttentionTile.KeyBlock * headSize);

    /// <summary>Number of query blocks per key/value head.</summary>
    public static int Blocks<TSimd, TVector>(int rows, int group)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int blockColumns = TilesPerBlock * 3 * TSimd.Count;
        return (checked(rows * group) + blockColumns - 1) / blockColumns;
    }

    /// <param name="problem">Operands.</param>
    /// <param name="span">Index of the sequence.</param>
    /// <param name="head">Key/value head.</param>
    /// <param name="piece">Query block, counted from the end: the longest rows run first, which balances the threads.</param>
    /// <param name="scratch"><see cref="WorkerFloats"/> floats.</param>
    public static void Run<TSimd, TVector, TElement>(in PagedProblem problem, int span, int head, int piece, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        SequenceSpan sequence = problem.Spans[span];
        AttentionGeometry geometry = problem.Geometry;
        KvLayerView cache = problem.Cache;
        int headSize = geometry.HeadSize;
        int group = geometry.GroupSize;
        int tileFloats = AttentionTile.Floats(headSize);
        float* scores = scratch + (TilesPerBlock * tileFloats);
        float* widened = scores + (AttentionTile.KeyBlock * PanelProduct.MostColumns);

        int tileColumns = 3 * TSimd.Count;
        int block = Blocks<TSimd, TVector>(sequence.RowCount, group) - 1 - piece;
        int first = block * TilesPerBlock * tileColumns;
        int columns = Math.Min(TilesPerBlock * tileColumns, (sequence.RowCount * group) - first);
        int tiles = (columns + tileColumns - 1) / tileColumns;
        nint rowStride = geometry.QueryColumns;
        nint start = ((nint)sequence.FirstRow * rowStride) + (head * group * headSize);
        for (int tile = 0; tile < tiles; tile++)
            new AttentionTile(scratch + (tile * tileFloats), headSize).Begin<TSimd, TVector>(
                problem.Query + start, rowStride, group, first + (tile * tileColumns),
                Math.Min(tileColumns, columns - (tile * tileColumns)), sequence.PastLength);

        int length = sequence.PastLength + ((first + columns - 1) / group) + 1;
        for (int firstKey = 0; firstKey < length; firstKey += KvLayerView.PageTokens)
        {
            int page = sequence.Pages[firstKey / KvLayerView.PageTokens];
            int pageKeys = Math.Min(KvLayerView.PageTokens, length - firstKey);
            float* keys = TElement.AsFloats<TSimd, TVector>(cache.Key(page, head), pageKeys, headSize, widened);
            float* values = TElement.AsFloats<TSimd, TVector>(
                cache.Value(page, head), pageKeys, headSize, widened + (AttentionTile.KeyBlock * headSize));
            for (int tile = 0; tile < tiles; tile++)
            {
                int firstColumn = first + (tile * tileColumns);
                int lastColumn = Math.Min(firstColumn + tileColumns, first + columns) - 1;
                int count = Math.Min(pageKeys, sequence.PastLength + (lastColumn / group) + 1 - firstKey);
                if (count <= 0)
                    continue;
                bool allSeen = firstKey + count - 1 <= sequence.PastLength + (firstColumn / group);
                new AttentionTile(scratch + (tile * tileFloats), headSize).Accumulate<TSimd, TVector>(
                    keys, values, count, allSeen ? -1 : firstKey, scores);
            }
        }

        for (int tile = 0; tile < tiles; tile++)
            new AttentionTile(scratch + (tile * tileFloats), headSize).Finish<TSimd, TVector>(
                problem.Output + start, rowStride, group, first + (tile * tileColumns), Math.Min(tileColumns, columns - (tile * tileColumns)));
    }
}

using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Attention of one row to a range of its keys, and how ranges make a whole. One result is head size sums of weighted values, then the
/// maximum score they are relative to (in units of log 2) and the sum of weights; it lies at [span, query head, split].
/// </summary>
internal static unsafe class PartialAttention
{
    private const int MostSplits = 16;

    private const int LeastSplitPages = 8;

    /// <summary>Keys of one split: the same for every thread count, so that results are too.</summary>
    public static int SplitPages(int length)
    {
        int pages = (length + KvLayerView.PageTokens - 1) / KvLayerView.PageTokens;
        return Math.Max(LeastSplitPages, (pages + MostSplits - 1) / MostSplits);
    }

    public static int Splits(int length)
    {
        int pages = (length + KvLayerView.PageTokens - 1) / KvLayerView.PageTokens;
        int splitPages = SplitPages(length);
        return (pages + splitPages - 1) / splitPages;
    }

    /// <summary>Floats of all results of one span.</summary>
    public static long Floats(AttentionGeometry geometry) => geometry.QueryHeads * (long)MostSplits * ResultFloats(geometry.HeadSize);

    public static float* Result(float* partials, AttentionGeometry geometry, int span, int queryHead, int split) =>
        partials + ((((((long)span * geometry.QueryHeads) + queryHead) * MostSplits) + split) * ResultFloats(geometry.HeadSize));

    /// <summary>Weighs the results of one query head and writes head size floats to <paramref name="output"/>.</summary>
    public static void Combine<TSimd, TVector>(float* partials, AttentionGeometry geometry, int span, int queryHead, int splits, float* output)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int headSize = geometry.HeadSize;
        float largest = float.NegativeInfinity;
        for (int split = 0; split < splits; split++)
            largest = MathF.Max(largest, Result(partials, geometry, span, queryHead, split)[headSize]);

        float sum = 0;
        for (int split = 0; split < splits; split++)
        {
            float* result = Result(partials, geometry, span, queryHead, split);
            float weight = TSimd.First(Exponential.PowerOfTwo<TSimd, TVector>(TSimd.Broadcast(result[headSize] - largest)));
            sum += weight * result[headSize + 1];
            TVector weights = TSimd.Broadcast(weight);
            for (int i = 0; i < headSize; i += TSimd.Count)
            {
                TVector before = split == 0 ? TSimd.Broadcast(0f) : TSimd.Load(output + i);
                TSimd.Store(TSimd.MultiplyAdd(weights, TSimd.Load(result + i), before), output + i);
            }
        }

        TVector factor = TSimd.Broadcast(1f / sum);
        for (int i = 0; i < headSize; i += TSimd.Count)
            TSimd.Store(TSimd.Multiply(TSimd.Load(output + i), factor), output + i);
    }

    private static int ResultFloats(int headSize) => (headSize + 2 + 15) & ~15;
}

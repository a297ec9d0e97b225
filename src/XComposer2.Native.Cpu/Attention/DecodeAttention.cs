using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>One row of a sequence against a range of its pages. Bound by memory bandwidth: each cache byte is read once for a whole group of heads.</summary>
internal static unsafe class DecodeAttention
{
    private const int PageTokens = KvLayerView.PageTokens;

    public static int WorkerFloats(AttentionGeometry geometry) => geometry.GroupSize * ((2 * geometry.HeadSize) + PageTokens + 3);

    /// <param name="problem">Operands.</param>
    /// <param name="span">Index of a sequence with one row.</param>
    /// <param name="head">Key/value head.</param>
    /// <param name="split">Range of pages. With a single range the output is written directly, otherwise to <paramref name="partials"/>.</param>
    /// <param name="partials">See <see cref="PartialAttention"/>.</param>
    /// <param name="scratch"><see cref="WorkerFloats"/> floats.</param>
    public static void Run<TSimd, TVector, TElement>(in PagedProblem problem, int span, int head, int split, float* partials, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        SequenceSpan sequence = problem.Spans[span];
        AttentionGeometry geometry = problem.Geometry;
        KvLayerView cache = problem.Cache;
        int headSize = geometry.HeadSize;
        int group = geometry.GroupSize;
        float* queries = scratch;
        float* outputs = queries + (group * headSize);
        float* weights = outputs + (group * headSize);
        float* maxima = weights + (group * PageTokens);
        float* sums = maxima + group;
        float* rescale = sums + group;

        nint start = ((nint)sequence.FirstRow * geometry.QueryColumns) + (head * group * headSize);
        TVector scale = TSimd.Broadcast(Exponential.Log2E / MathF.Sqrt(headSize));
        for (int i = 0; i < group * headSize; i += TSimd.Count)
        {
            TSimd.Store(TSimd.Multiply(TSimd.Load(problem.Query + start + i), scale), queries + i);
            TSimd.Store(TSimd.Broadcast(0f), outputs + i);
        }

        for (int i = 0; i < group; i++)
        {
            maxima[i] = float.NegativeInfinity;
            sums[i] = 0;
        }

        int length = sequence.Length;
        int splitPages = PartialAttention.SplitPages(length);
        int pages = (length + PageTokens - 1) / PageTokens;
        int end = Math.Min(pages, (split + 1) * splitPages);
        for (int index = split * splitPages; index < end; index++)
        {
            int page = sequence.Pages[index];
            int count = Math.Min(PageTokens, length - (index * PageTokens));
            DecodeProducts.Scores<TSimd, TVector, TElement>(queries, group, (byte*)cache.Key(page, head), count, headSize, weights);
            if (TElement.HasScales)
                ScaleTokens(weights, group, count, KvLayerView.Scales(cache.Key(page, head), headSize));
            for (int i = 0; i < group; i++)
                Softmax<TSimd, TVector>(weights + (i * PageTokens), count, maxima + i, sums + i, rescale + i);
            if (TElement.HasScales)
                ScaleTokens(weights, group, count, KvLayerView.Scales(cache.Value(page, head), headSize));
            DecodeProducts.Outputs<TSimd, TVector, TElement>(weights, rescale, group, (byte*)cache.Value(page, head), count, headSize, outputs);
        }

        bool whole = splitPages >= pages;
        for (int i = 0; i < group; i++)
        {
            float* result = whole
                ? problem.Output + start + (i * headSize)
                : PartialAttention.Result(partials, geometry, span, (head * group) + i, split);
            TVector factor = TSimd.Broadcast(whole ? 1f / sums[i] : 1f);
            for (int c = 0; c < headSize; c += TSimd.Count)
                TSimd.Store(TSimd.Multiply(TSimd.Load(outputs + (i * headSize) + c), factor), result + c);
            if (whole)
                continue;
            result[headSize] = maxima[i];
            result[headSize + 1] = sums[i];
        }
    }

    // A token's scale is a factor of its score, and of its weight once that is in the sum.
    private static void ScaleTokens(float* weights, int group, int count, float* scales)
    {
        for (int i = 0; i < group; i++, weights += PageTokens)
            for (int token = 0; token < count; token++)
                weights[token] *= scales[token];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Softmax<TSimd, TVector>(float* scores, int count, float* maximum, float* sum, float* rescale)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int key = count; key < PageTokens && key % TSimd.Count != 0; key++)
            scores[key] = float.NegativeInfinity;
        TVector largest = TSimd.Broadcast(*maximum);
        for (int key = 0; key < count; key += TSimd.Count)
            largest = TSimd.Max(largest, TSimd.Load(scores + key));
        largest = TSimd.Broadcast(TSimd.MaxAcross(largest));

        TVector total = TSimd.Broadcast(0f);
        for (int key = 0; key < count; key += TSimd.Count)
        {
            TVector weight = Exponential.PowerOfTwo<TSimd, TVector>(TSimd.Subtract(TSimd.Load(scores + key), largest));
            total = TSimd.Add(total, weight);
            TSimd.Store(weight, scores + key);
        }

        float shrink = TSimd.First(Exponential.PowerOfTwo<TSimd, TVector>(TSimd.Subtract(TSimd.Broadcast(*maximum), largest)));
        *rescale = shrink;
        *sum = (*sum * shrink) + TSimd.Sum(total);
        *maximum = TSimd.First(largest);
    }
}

/// <summary>
/// Attention of one row to a range of its keys, and the combination of ranges. A partial result is head-size sums of weighted values, the
/// maximum score (in units of log 2) to which they are relative, and the sum of weights. It is stored at [span, query head, split].
/// </summary>
internal static unsafe class PartialAttention
{
    private const int MostSplits = 16;

    private const int LeastSplitPages = 8;

    /// <summary>Pages per split. Independent of the thread count, so that results are too.</summary>
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

    /// <summary>Size of all partial results of one span in floats.</summary>
    public static long Floats(AttentionGeometry geometry) => geometry.QueryHeads * (long)MostSplits * ResultFloats(geometry.HeadSize);

    public static float* Result(float* partials, AttentionGeometry geometry, int span, int queryHead, int split) =>
        partials + ((((((long)span * geometry.QueryHeads) + queryHead) * MostSplits) + split) * ResultFloats(geometry.HeadSize));

    /// <summary>Combines the partial results of one query head and writes head-size floats to <paramref name="output"/>.</summary>
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

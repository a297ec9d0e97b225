using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>Products of a few query heads with the keys and values of one page, vectorised along the head.</summary>
internal static unsafe class DecodeProducts
{
    private const int PageTokens = KvLayerView.PageTokens;

    /// <summary>scores[head, key] = queries[head] . keys[key].</summary>
    /// <param name="queries">[heads, headSize].</param>
    /// <param name="heads">Query heads of the group.</param>
    /// <param name="keys">[count, headSize].</param>
    /// <param name="count">Number of keys, up to 64.</param>
    /// <param name="headSize">A multiple of the vector length.</param>
    /// <param name="scores">[heads, 64].</param>
    public static void Scores<TSimd, TVector, TElement>(float* queries, int heads, byte* keys, int count, int headSize, float* scores)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        nint keyBytes = headSize * (nint)TElement.Bytes;
        int head = 0;
        for (; head <= heads - 2; head += 2)
        {
            float* query = queries + (head * headSize);
            float* score = scores + (head * PageTokens);
            int key = 0;
            for (; key <= count - 4; key += 4)
                TwoByFour<TSimd, TVector, TElement>(query, keys + (key * keyBytes), keyBytes, headSize, score + key);
            for (; key < count; key++)
            {
                score[key] = Dot<TSimd, TVector, TElement>(query, keys + (key * keyBytes), headSize);
                score[PageTokens + key] = Dot<TSimd, TVector, TElement>(query + headSize, keys + (key * keyBytes), headSize);
            }
        }

        if (head < heads)
            for (int key = 0; key < count; key++)
                scores[(head * PageTokens) + key] = Dot<TSimd, TVector, TElement>(queries + (head * headSize), keys + (key * keyBytes), headSize);
    }

    /// <summary>outputs[head] = outputs[head] * rescale[head] + sum over keys of weights[head, key] * values[key].</summary>
    /// <param name="weights">[heads, 64].</param>
    /// <param name="rescale">[heads].</param>
    /// <param name="heads">Query heads of the group.</param>
    /// <param name="values">[count, headSize].</param>
    /// <param name="count">Number of keys, up to 64.</param>
    /// <param name="headSize">A multiple of the vector length.</param>
    /// <param name="outputs">[heads, headSize].</param>
    public static void Outputs<TSimd, TVector, TElement>(
        float* weights, float* rescale, int heads, byte* values, int count, int headSize, float* outputs)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        nint valueBytes = headSize * (nint)TElement.Bytes;
        int fourVectors = 4 * TSimd.Count;
        int head = 0;
        for (; head <= heads - 2; head += 2)
        {
            float* output = outputs + (head * headSize);
            float* weight = weights + (head * PageTokens);
            int i = 0;
            for (; i <= headSize - fourVectors; i += fourVectors)
                TwoByFourVectors<TSimd, TVector, TElement>(
                    weight, rescale + head, values + (i * TElement.Bytes), valueBytes, count, output + i, headSize);
            for (; i < headSize; i += TSimd.Count)
            {
                OneVector<TSimd, TVector, TElement>(weight, rescale[head], values + (i * TElement.Bytes), valueBytes, count, output + i);
                OneVector<TSimd, TVector, TElement>(
                    weight + PageTokens, rescale[head + 1], values + (i * TElement.Bytes), valueBytes, count, output + headSize + i);
            }
        }

        if (head < heads)
            for (int i = 0; i < headSize; i += TSimd.Count)
                OneVector<TSimd, TVector, TElement>(
                    weights + (head * PageTokens), rescale[head], values + (i * TElement.Bytes), valueBytes, count, outputs + (head * headSize) + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoByFour<TSimd, TVector, TElement>(float* query, byte* keys, nint keyBytes, int headSize, float* scores)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        TVector s00 = TSimd.Broadcast(0f), s01 = s00, s02 = s00, s03 = s00;
        TVector s10 = s00, s11 = s00, s12 = s00, s13 = s00;
        for (int i = 0; i < headSize; i += TSimd.Count)
        {
            TVector q0 = TSimd.Load(query + i), q1 = TSimd.Load(query + headSize + i);
            byte* key = keys + (i * TElement.Bytes);
            TVector k0 = TElement.Load<TSimd, TVector>(key);
            s00 = TSimd.MultiplyAdd(q0, k0, s00);
            s10 = TSimd.MultiplyAdd(q1, k0, s10);
            TVector k1 = TElement.Load<TSimd, TVector>(key + (1 * keyBytes));
            s01 = TSimd.MultiplyAdd(q0, k1, s01);
            s11 = TSimd.MultiplyAdd(q1, k1, s11);
            TVector k2 = TElement.Load<TSimd, TVector>(key + (2 * keyBytes));
            s02 = TSimd.MultiplyAdd(q0, k2, s02);
            s12 = TSimd.MultiplyAdd(q1, k2, s12);
            TVector k3 = TElement.Load<TSimd, TVector>(key + (3 * keyBytes));
            s03 = TSimd.MultiplyAdd(q0, k3, s03);
            s13 = TSimd.MultiplyAdd(q1, k3, s13);
        }

        scores[0] = TSimd.Sum(s00);
        scores[1] = TSimd.Sum(s01);
        scores[2] = TSimd.Sum(s02);
        scores[3] = TSimd.Sum(s03);
        scores[PageTokens] = TSimd.Sum(s10);
        scores[PageTokens + 1] = TSimd.Sum(s11);
        scores[PageTokens + 2] = TSimd.Sum(s12);
        scores[PageTokens + 3] = TSimd.Sum(s13);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot<TSimd, TVector, TElement>(float* query, byte* key, int headSize)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        TVector sum = TSimd.Broadcast(0f);
        for (int i = 0; i < headSize; i += TSimd.Count)
            sum = TSimd.MultiplyAdd(TSimd.Load(query + i), TElement.Load<TSimd, TVector>(key + (i * TElement.Bytes)), sum);
        return TSimd.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoByFourVectors<TSimd, TVector, TElement>(
        float* weights, float* rescale, byte* values, nint valueBytes, int count, float* outputs, int headSize)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        int width = TSimd.Count;
        float* second = outputs + headSize;
        TVector shrink0 = TSimd.Broadcast(rescale[0]), shrink1 = TSimd.Broadcast(rescale[1]);
        TVector o00 = TSimd.Multiply(TSimd.Load(outputs), shrink0);
        TVector o01 = TSimd.Multiply(TSimd.Load(outputs + (1 * width)), shrink0);
        TVector o02 = TSimd.Multiply(TSimd.Load(outputs + (2 * width)), shrink0);
        TVector o03 = TSimd.Multiply(TSimd.Load(outputs + (3 * width)), shrink0);
        TVector o10 = TSimd.Multiply(TSimd.Load(second), shrink1);
        TVector o11 = TSimd.Multiply(TSimd.Load(second + (1 * width)), shrink1);
        TVector o12 = TSimd.Multiply(TSimd.Load(second + (2 * width)), shrink1);
        TVector o13 = TSimd.Multiply(TSimd.Load(second + (3 * width)), shrink1);
        for (int key = 0; key < count; key++)
        {
            TVector w0 = TSimd.Broadcast(weights[key]), w1 = TSimd.Broadcast(weights[PageTokens + key]);
            TVector v0 = TElement.Load<TSimd, TVector>(values);
            o00 = TSimd.MultiplyAdd(w0, v0, o00);
            o10 = TSimd.MultiplyAdd(w1, v0, o10);
            TVector v1 = TElement.Load<TSimd, TVector>(values + (1 * width * TElement.Bytes));
            o01 = TSimd.MultiplyAdd(w0, v1, o01);
            o11 = TSimd.MultiplyAdd(w1, v1, o11);
            TVector v2 = TElement.Load<TSimd, TVector>(values + (2 * width * TElement.Bytes));
            o02 = TSimd.MultiplyAdd(w0, v2, o02);
            o12 = TSimd.MultiplyAdd(w1, v2, o12);
            TVector v3 = TElement.Load<TSimd, TVector>(values + (3 * width * TElement.Bytes));
            o03 = TSimd.MultiplyAdd(w0, v3, o03);
            o13 = TSimd.MultiplyAdd(w1, v3, o13);
            values += valueBytes;
        }

        TSimd.Store(o00, outputs);
        TSimd.Store(o01, outputs + (1 * width));
        TSimd.Store(o02, outputs + (2 * width));
        TSimd.Store(o03, outputs + (3 * width));
        TSimd.Store(o10, second);
        TSimd.Store(o11, second + (1 * width));
        TSimd.Store(o12, second + (2 * width));
        TSimd.Store(o13, second + (3 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneVector<TSimd, TVector, TElement>(
        float* weights, float rescale, byte* values, nint valueBytes, int count, float* output)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        TVector sum = TSimd.Multiply(TSimd.Load(output), TSimd.Broadcast(rescale));
        for (int key = 0; key < count; key++)
            sum = TSimd.MultiplyAdd(TSimd.Broadcast(weights[key]), TElement.Load<TSimd, TVector>(values + (key * valueBytes)), sum);
        TSimd.Store(sum, output);
    }
}

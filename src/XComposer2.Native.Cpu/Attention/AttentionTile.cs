using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Flash attention for three vectors of queries at once, transposed: queries lie across the vector lanes, so that scores, maxima, sums and
/// outputs of 12 to 48 queries are whole vectors and no reduction across lanes is needed. Keys and values are read in place, one element at a
/// time, without packing. Scores are in units of log 2, so that softmax is 2^x.
/// </summary>
internal readonly unsafe struct AttentionTile
{
    /// <summary>Maximum number of keys per call of <see cref="Accumulate"/>.</summary>
    public const int KeyBlock = 64;

    private const int StatePanels = 4;

    private readonly float* queries;
    private readonly float* outputs;
    private readonly float* limits;
    private readonly float* maxima;
    private readonly float* sums;
    private readonly float* rescale;
    private readonly int headSize;

    /// <param name="memory"><see cref="Floats"/> floats, 64-byte aligned.</param>
    /// <param name="headSize">Floats of one head.</param>
    public AttentionTile(float* memory, int headSize)
    {
        this.headSize = headSize;
        queries = memory;
        outputs = queries + (headSize * PanelProduct.MostColumns);
        limits = outputs + (headSize * PanelProduct.MostColumns);
        maxima = limits + PanelProduct.MostColumns;
        sums = maxima + PanelProduct.MostColumns;
        rescale = sums + PanelProduct.MostColumns;
    }

    /// <summary>Size of one tile's state in floats.</summary>
    public static int Floats(int headSize) => ((2 * headSize) + StatePanels) * PanelProduct.MostColumns;

    /// <summary>Loads queries and resets the accumulators. Column j holds head (first + j) % group of row (first + j) / group;
    /// unused columns hold zeros and are masked like the last used one.</summary>
    /// <param name="source">Head 0 of row 0; the heads of a group are contiguous.</param>
    /// <param name="rowStride">Row stride in floats.</param>
    /// <param name="group">Query heads that share the keys and values.</param>
    /// <param name="first">First column, counted over rows and heads.</param>
    /// <param name="columns">Columns in use, 1 to 3 vectors.</param>
    /// <param name="firstPosition">Position of row 0: in a masked block, row r attends to keys up to firstPosition + r.</param>
    public void Begin<TSimd, TVector>(float* source, nint rowStride, int group, int first, int columns, int firstPosition)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int width = 3 * TSimd.Count;
        float scale = Exponential.Log2E / MathF.Sqrt(headSize);
        for (int column = 0; column < width; column++)
        {
            int index = first + Math.Min(column, columns - 1);
            limits[column] = firstPosition + (index / group);
            maxima[column] = float.NegativeInfinity;
            sums[column] = 0;
            float* query = source + (index / group * rowStride) + (index % group * headSize);
            float* panel = queries + column;
            float* output = outputs + column;
            float factor = column < columns ? scale : 0f;
            for (int i = 0; i < headSize; i++)
            {
                panel[i * width] = query[i] * factor;
                output[i * width] = 0;
            }
        }
    }

    /// <summary>Attends to a block of keys.</summary>
    /// <param name="keys">[count, head size], dense.</param>
    /// <param name="values">[count, head size], dense.</param>
    /// <param name="count">1 to <see cref="KeyBlock"/>.</param>
    /// <param name="firstKey">Position of the first key, compared with each column's limit; negative without masking.</param>
    /// <param name="scores">Scratch of KeyBlock x 3 vectors.</param>
    public void Accumulate<TSimd, TVector>(float* keys, float* values, int count, int firstKey, float* scores)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        PanelProduct.Multiply<TSimd, TVector>(keys, headSize, 1, count, headSize, queries, scores, null);
        if (firstKey >= 0)
            Mask<TSimd, TVector>(scores, count, firstKey);
        Softmax<TSimd, TVector>(scores, count);
        PanelProduct.Multiply<TSimd, TVector>(values, 1, headSize, headSize, count, scores, outputs, rescale);
    }

    /// <summary>Writes the used columns in the layout that <see cref="Begin"/> reads.</summary>
    public void Finish<TSimd, TVector>(float* destination, nint rowStride, int group, int first, int columns)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int width = 3 * TSimd.Count;
        for (int column = 0; column < columns; column++)
        {
            int index = first + column;
            float* row = destination + (index / group * rowStride) + (index % group * headSize);
            float* output = outputs + column;
            float factor = 1f / sums[column];
            for (int i = 0; i < headSize; i++)
                row[i] = output[i * width] * factor;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Mask<TSimd, TVector>(float* scores, int count, int firstKey)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector unseen = TSimd.Broadcast(float.NegativeInfinity);
        for (int key = 0; key < count; key++)
        {
            TVector position = TSimd.Broadcast(firstKey + key);
            for (int vector = 0; vector < 3; vector++)
            {
                float* score = scores + (((key * 3) + vector) * TSimd.Count);
                TVector limit = TSimd.Load(limits + (vector * TSimd.Count));
                TSimd.Store(TSimd.SelectLess(limit, position, unseen, TSimd.Load(score)), score);
            }
        }
    }

    /// <summary>Online softmax: converts scores to weights relative to the new maximum and sets <see cref="rescale"/> to the scale factors of earlier outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Softmax<TSimd, TVector>(float* scores, int count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        nint columns = 3 * TSimd.Count;
        for (int vector = 0; vector < 3; vector++)
        {
            nint offset = vector * TSimd.Count;
            TVector before = TSimd.Load(maxima + offset);
            TVector largest = before;
            float* end = scores + offset + (count * columns);
            for (float* score = scores + offset; score < end; score += columns)
                largest = TSimd.Max(largest, TSimd.Load(score));
            TVector shrink = Exponential.PowerOfTwo<TSimd, TVector>(TSimd.Subtract(before, largest));
            TVector sum = TSimd.Multiply(TSimd.Load(sums + offset), shrink);
            for (float* score = scores + offset; score < end; score += columns)
            {
                TVector weight = Exponential.PowerOfTwo<TSimd, TVector>(TSimd.Subtract(TSimd.Load(score), largest));
                sum = TSimd.Add(sum, weight);
                TSimd.Store(weight, score);
            }

            TSimd.Store(largest, maxima + offset);
            TSimd.Store(sum, sums + offset);
            TSimd.Store(shrink, rescale + offset);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Splits the packed projection (per key/value head: its query heads, key, value), applies rotary embeddings to queries and keys in
/// half-split layout, and appends keys and values to the paged cache.</summary>
public static unsafe class RopeKvAppendKernel
{
    /// <param name="packed">[rows, (q + 2 kv) x d].</param>
    /// <param name="geometry">Head layout; the head size is a multiple of 8.</param>
    /// <param name="table">Must cover every position of the step.</param>
    /// <param name="cache">The layer's part of the cache; written.</param>
    /// <param name="spans">[spanCount]; rows outside all spans are skipped.</param>
    /// <param name="spanCount">Number of sequences in the step.</param>
    /// <param name="rows">Rows of the step.</param>
    /// <param name="queries">[rows, q x d]; written. May not overlap <paramref name="packed"/>.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* packed, AttentionGeometry geometry, RopeTable table, KvLayerView cache, SequenceSpan* spans, int spanCount, int rows,
        float* queries, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(pool);
        AttentionGuards.RequireGeometry(geometry, cache);
        SequenceSpan.Require(spans, spanCount, rows, cache);
        if (table.HeadSize != geometry.HeadSize)
            throw new ArgumentException($"the table has head size {table.HeadSize}, the layer {geometry.HeadSize}", nameof(table));
        for (int span = 0; span < spanCount; span++)
            if (spans[span].RowCount > 0 && spans[span].Length > table.Positions)
                throw new ArgumentException($"span {span} ends at {spans[span].Length} tokens, the table at {table.Positions}", nameof(table));
        switch (width.Resolve(geometry.HeadSize / 2))
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(packed, geometry, table, cache, spans, spanCount, rows, queries, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(packed, geometry, table, cache, spans, spanCount, rows, queries, pool); break;
            default: Run<Simd128, Vector128<float>>(packed, geometry, table, cache, spans, spanCount, rows, queries, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(
        float* packed, AttentionGeometry geometry, RopeTable table, KvLayerView cache, SequenceSpan* spans, int spanCount, int rows,
        float* queries, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var work = new Work<TSimd, TVector>(
            packed, geometry, table, cache, spans, spanCount, queries, RowBlocks.For(rows, geometry.PackedColumns));
        pool.Run(work.Blocks.Count, ref work);
    }

    private readonly struct Work<TSimd, TVector>(
        float* packed, AttentionGeometry geometry, RopeTable table, KvLayerView cache, SequenceSpan* spans, int spanCount,
        float* queries, RowBlocks blocks) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public RowBlocks Blocks => blocks;

        public void Run(int task, int worker)
        {
            int span = 0;
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                for (int tried = 0; tried < spanCount && !Holds(span, row); tried++)
                    span = (span + 1) % spanCount;
                if (span < spanCount && Holds(span, row))
                    Row(row, spans[span].PastLength + row - spans[span].FirstRow, spans[span].Pages);
            }
        }

        private bool Holds(int span, int row) => row >= spans[span].FirstRow && row - spans[span].FirstRow < spans[span].RowCount;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Row(int row, int position, int* pages)
        {
            int headSize = geometry.HeadSize;
            float* source = packed + ((nint)row * geometry.PackedColumns);
            float* query = queries + ((nint)row * geometry.QueryColumns);
            float* angles = table.Row(position);
            int page = pages[position / KvLayerView.PageTokens];
            int token = position % KvLayerView.PageTokens;
            DType elements = cache.Format.Elements;
            bool isDirect = elements is DType.F32 or DType.BF16;
            float* rotated = stackalloc float[isDirect ? 0 : headSize];
            nint slotBytes = token * (nint)elements.Bytes(headSize);
            for (int head = 0; head < geometry.KeyValueHeads; head++)
            {
                for (int i = 0; i < geometry.GroupSize; i++)
                {
                    Rotate(source, angles, query, DType.F32);
                    source += headSize;
                    query += headSize;
                }

                if (isDirect)
                {
                    Rotate(source, angles, (void*)(cache.Key(page, head) + slotBytes), elements);
                    Copy(source + headSize, (void*)(cache.Value(page, head) + slotBytes));
                }
                else
                {
                    Rotate(source, angles, rotated, DType.F32);
                    CachedRows.Store(cache.Format, rotated, headSize, cache.Key(page, head), token);
                    CachedRows.Store(cache.Format, source + headSize, headSize, cache.Value(page, head), token);
                }

                source += 2 * headSize;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Rotate(float* source, float* angles, void* destination, DType type)
        {
            int half = geometry.HeadSize / 2;
            for (int i = 0; i < half; i += TSimd.Count)
            {
                TVector cosine = TSimd.Load(angles + i);
                TVector sine = TSimd.Load(angles + half + i);
                TVector lower = TSimd.Load(source + i);
                TVector upper = TSimd.Load(source + half + i);
                Store(TSimd.Subtract(TSimd.Multiply(lower, cosine), TSimd.Multiply(upper, sine)), destination, i, type);
                Store(TSimd.Add(TSimd.Multiply(upper, cosine), TSimd.Multiply(lower, sine)), destination, half + i, type);
            }
        }

        private void Copy(float* source, void* destination)
        {
            for (int i = 0; i < geometry.HeadSize; i += TSimd.Count)
                Store(TSimd.Load(source + i), destination, i, cache.Format.Elements);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store(TVector value, void* destination, int index, DType type)
        {
            if (type == DType.F32)
                TSimd.Store(value, (float*)destination + index);
            else
                TSimd.StoreBFloat16(value, (ushort*)destination + index);
        }
    }
}

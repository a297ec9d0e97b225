using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Causal softmax attention within sequences, from their packed and rotated projection. A task is a block of rows of one sequence and one key/value head with all queries of its group.</summary>
public static unsafe class CausalAttentionKernel
{
    private const int TilesPerTask = 4;

    /// <summary>Scratch size of <see cref="Run"/>.</summary>
    public static long ScratchBytes(int rows, int headSize, int threads) =>
        ScratchCursor.BytesFor(RowRuns.SequenceIntegers(rows)) + ScratchCursor.BytesFor(rows + 1L) + ScratchCursor.BytesFor(threads * (long)WorkerFloats(headSize));

    /// <param name="packed">[rows, geometry.PackedColumns], rotated.</param>
    /// <param name="starts">[rows], the first row of each row's sequence.</param>
    /// <param name="rows">Rows of all sequences.</param>
    /// <param name="geometry">Head layout.</param>
    /// <param name="output">[rows, geometry.QueryColumns].</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* packed, int* starts, int rows, AttentionGeometry geometry, float* output, void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        AttentionGuards.RequireHeadSize(geometry.HeadSize);
        if (rows == 0)
            return;
        var cursor = new ScratchCursor(scratch, scratchBytes);
        RowRuns sequences = RowRuns.Sequences(starts, rows, (int*)cursor.Floats(RowRuns.SequenceIntegers(rows)));
        int* firstBlocks = (int*)cursor.Floats(rows + 1L);
        float* memory = cursor.Floats(pool.Threads * (long)WorkerFloats(geometry.HeadSize));
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(packed, sequences, firstBlocks, geometry, output, memory, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(packed, sequences, firstBlocks, geometry, output, memory, pool); break;
            default: Run<Simd128, Vector128<float>>(packed, sequences, firstBlocks, geometry, output, memory, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(float* packed, RowRuns sequences, int* firstBlocks, AttentionGeometry geometry, float* output, float* memory, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int blockColumns = TilesPerTask * 3 * TSimd.Count;
        firstBlocks[0] = 0;
        for (int i = 0; i < sequences.Count; i++)
        {
            (int start, int end) = sequences[i];
            firstBlocks[i + 1] = firstBlocks[i] + (int)((((long)(end - start) * geometry.GroupSize) + blockColumns - 1) / blockColumns);
        }

        var work = new Work<TSimd, TVector>(packed, sequences, firstBlocks, geometry, output, memory);
        pool.Run(checked(firstBlocks[sequences.Count] * geometry.KeyValueHeads), ref work);
    }

    // Rounded up to 16 floats, so that workers do not share cache lines.
    private static int WorkerFloats(int headSize) =>
        ((TilesPerTask * AttentionTile.Floats(headSize)) + (AttentionTile.KeyBlock * PanelProduct.MostColumns) + (2 * AttentionTile.KeyBlock * headSize) + 15) & ~15;

    private readonly struct Work<TSimd, TVector>(float* packed, RowRuns sequences, int* firstBlocks, AttentionGeometry geometry, float* output, float* memory) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int size = geometry.HeadSize, group = geometry.GroupSize, tileColumns = 3 * TSimd.Count, tileFloats = AttentionTile.Floats(size);
            float* tiles = memory + ((long)worker * WorkerFloats(size));
            float* scores = tiles + (TilesPerTask * tileFloats);
            float* keys = scores + (AttentionTile.KeyBlock * PanelProduct.MostColumns);
            float* values = keys + (AttentionTile.KeyBlock * size);

            // The late blocks of a sequence see most keys: they come first, so that no thread is left with one at the end.
            int head = task % geometry.KeyValueHeads, index = task / geometry.KeyValueHeads, sequence = 0;
            while (firstBlocks[sequence + 1] <= index)
                sequence++;
            (int firstRow, int end) = sequences[sequence];
            int rows = end - firstRow, block = firstBlocks[sequence + 1] - 1 - index;
            float* query = packed + ((nint)firstRow * geometry.PackedColumns) + ((nint)head * (group + 2) * size);
            float* key = query + ((nint)group * size);
            int first = block * TilesPerTask * tileColumns;
            int columns = Math.Min(TilesPerTask * tileColumns, (rows * group) - first);
            int tileCount = (columns + tileColumns - 1) / tileColumns;
            for (int tile = 0; tile < tileCount; tile++)
                new AttentionTile(tiles + (tile * tileFloats), size).Begin<TSimd, TVector>(
                    query, geometry.PackedColumns, group, first + (tile * tileColumns), Math.Min(tileColumns, columns - (tile * tileColumns)), 0);

            int lastKey = (first + columns - 1) / group;
            for (int start = 0; start <= lastKey; start += AttentionTile.KeyBlock)
            {
                int count = Math.Min(AttentionTile.KeyBlock, lastKey + 1 - start);
                for (int row = 0; row < count; row++)
                {
                    float* source = key + ((start + row) * (nint)geometry.PackedColumns);
                    new ReadOnlySpan<float>(source, size).CopyTo(new Span<float>(keys + (row * size), size));
                    new ReadOnlySpan<float>(source + size, size).CopyTo(new Span<float>(values + (row * size), size));
                }

                // A tile whose last row lies before the block has nothing to see there.
                for (int tile = 0; tile < tileCount; tile++)
                    if ((first + Math.Min(columns, (tile + 1) * tileColumns) - 1) / group >= start)
                        new AttentionTile(tiles + (tile * tileFloats), size).Accumulate<TSimd, TVector>(keys, values, count, start, scores);
            }

            for (int tile = 0; tile < tileCount; tile++)
                new AttentionTile(tiles + (tile * tileFloats), size).Finish<TSimd, TVector>(
                    output + ((nint)firstRow * geometry.QueryColumns) + ((nint)head * group * size), geometry.QueryColumns, group, first + (tile * tileColumns), Math.Min(tileColumns, columns - (tile * tileColumns)));
        }
    }
}

using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>softmax(Q Kᵀ / sqrt(d)) V between all tokens of a picture, without materialising the tokens x tokens matrix.
/// A task is a block of queries of one head of one picture. Results are independent of the thread count.</summary>
public static unsafe class VisionAttentionKernel
{
    private const int TilesPerTask = 4;

    /// <summary>Scratch size of <see cref="Run"/>.</summary>
    public static long ScratchBytes(int headSize, int threads) => checked(threads * ScratchCursor.BytesFor(WorkerFloats(headSize)));

    /// <param name="query">[images x tokens, heads x headSize]; key, value and output have the same shape.</param>
    /// <param name="key">Keys.</param>
    /// <param name="value">Values.</param>
    /// <param name="images">Number of pictures.</param>
    /// <param name="tokensPerImage">Tokens per picture, including the class token.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="headSize">A multiple of 8.</param>
    /// <param name="output">May not overlap the inputs.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* query, float* key, float* value, int images, int tokensPerImage, int heads, int headSize, float* output,
        void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(images);
        ArgumentOutOfRangeException.ThrowIfNegative(tokensPerImage);
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        AttentionGuards.RequireHeadSize(headSize);
        if (images == 0 || tokensPerImage == 0)
            return;
        var shape = new Problem(query, key, value, output, tokensPerImage, heads, headSize);
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(shape, images, scratch, scratchBytes, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(shape, images, scratch, scratchBytes, pool); break;
            default: Run<Simd128, Vector128<float>>(shape, images, scratch, scratchBytes, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(in Problem problem, int images, void* scratch, long scratchBytes, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int workerFloats = WorkerFloats(problem.HeadSize);
        float* memory = new ScratchCursor(scratch, scratchBytes).Floats((long)workerFloats * pool.Threads);
        int blockRows = TilesPerTask * 3 * TSimd.Count;
        int blocks = (problem.Tokens + blockRows - 1) / blockRows;
        var work = new Work<TSimd, TVector>(problem, memory, workerFloats, blocks);
        pool.Run(checked(images * problem.Heads * blocks), ref work);
    }

    // Rounded up to 16 floats, so that workers do not share cache lines.
    private static int WorkerFloats(int headSize)
    {
        int floats = (TilesPerTask * AttentionTile.Floats(headSize))
            + (AttentionTile.KeyBlock * PanelProduct.MostColumns) + (2 * AttentionTile.KeyBlock * headSize);
        return (floats + 15) & ~15;
    }

    private readonly struct Problem(float* query, float* key, float* value, float* output, int tokens, int heads, int headSize)
    {
        public readonly float* Query = query;
        public readonly float* Key = key;
        public readonly float* Value = value;
        public readonly float* Output = output;
        public readonly int Tokens = tokens;
        public readonly int Heads = heads;
        public readonly int HeadSize = headSize;
    }

    private readonly struct Work<TSimd, TVector>(Problem problem, float* memory, int workerFloats, int blocks) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int headSize = problem.HeadSize;
            int tileFloats = AttentionTile.Floats(headSize);
            float* tiles = memory + ((long)worker * workerFloats);
            float* scores = tiles + (TilesPerTask * tileFloats);
            float* keys = scores + (AttentionTile.KeyBlock * PanelProduct.MostColumns);
            float* values = keys + (AttentionTile.KeyBlock * headSize);

            int block = task % blocks;
            int head = task / blocks % problem.Heads;
            int image = task / blocks / problem.Heads;
            nint rowStride = problem.Heads * headSize;
            nint start = (image * (nint)problem.Tokens * rowStride) + (head * headSize);
            int tileColumns = 3 * TSimd.Count;
            int firstRow = block * TilesPerTask * tileColumns;
            int rows = Math.Min(TilesPerTask * tileColumns, problem.Tokens - firstRow);
            int tileCount = (rows + tileColumns - 1) / tileColumns;

            for (int tile = 0; tile < tileCount; tile++)
                new AttentionTile(tiles + (tile * tileFloats), headSize).Begin<TSimd, TVector>(
                    problem.Query + start, rowStride, 1, firstRow + (tile * tileColumns), Math.Min(tileColumns, rows - (tile * tileColumns)), 0);

            for (int first = 0; first < problem.Tokens; first += AttentionTile.KeyBlock)
            {
                int count = Math.Min(AttentionTile.KeyBlock, problem.Tokens - first);

                // The row stride of a head is a power of two, which causes cache set conflicts: gather the rows once for all tiles.
                Gather(problem.Key + start + (first * rowStride), rowStride, count, headSize, keys);
                Gather(problem.Value + start + (first * rowStride), rowStride, count, headSize, values);
                for (int tile = 0; tile < tileCount; tile++)
                    new AttentionTile(tiles + (tile * tileFloats), headSize).Accumulate<TSimd, TVector>(keys, values, count, -1, scores);
            }

            for (int tile = 0; tile < tileCount; tile++)
                new AttentionTile(tiles + (tile * tileFloats), headSize).Finish<TSimd, TVector>(
                    problem.Output + start, rowStride, 1, firstRow + (tile * tileColumns), Math.Min(tileColumns, rows - (tile * tileColumns)));
        }

        private static void Gather(float* source, nint rowStride, int rows, int headSize, float* destination)
        {
            long rowBytes = headSize * (long)sizeof(float);
            for (int row = 0; row < rows; row++)
                Buffer.MemoryCopy(source + (row * rowStride), destination + (row * headSize), rowBytes, rowBytes);
        }
    }
}

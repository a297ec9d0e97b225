using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// The gradient of softmax attention, causal within sequences or full within pictures. A task is one key/value head of a sequence or a picture, with all queries of its group: it computes the
/// probabilities P of a block of queries again, then with dP = g Vᵀ and dS = P (dP - sum(P dP)): dQ = dS K, dK += dSᵀ Q, dV += Pᵀ g. One task adds to one head's sums, in the
/// order of the blocks, so nothing depends on the threads.
/// </summary>
public static unsafe class AttentionGradientKernel
{
    private const int BlockQueries = 48;

    /// <summary>Scratch size of <see cref="Causal"/>.</summary>
    /// <param name="rows">Rows of all sequences.</param>
    /// <param name="headSize">Floats of a head.</param>
    /// <param name="threads">Threads of the pool.</param>
    public static long CausalScratchBytes(int rows, int headSize, int threads) =>
        ScratchCursor.BytesFor(RowRuns.SequenceIntegers(rows)) + VisionScratchBytes(rows, headSize, threads);

    /// <summary>Scratch size of <see cref="Vision"/>.</summary>
    /// <param name="tokens">Rows of a picture.</param>
    /// <param name="headSize">Floats of a head.</param>
    /// <param name="threads">Threads of the pool.</param>
    public static long VisionScratchBytes(int tokens, int headSize, int threads) => ScratchCursor.BytesFor(checked(threads * WorkerFloats(tokens, headSize)));

    /// <param name="gradient">[rows, geometry.QueryColumns].</param>
    /// <param name="packed">[rows, geometry.PackedColumns], rotated.</param>
    /// <param name="starts">[rows], the first row of each row's sequence.</param>
    /// <param name="rows">Rows of all sequences.</param>
    /// <param name="geometry">Head layout.</param>
    /// <param name="output">[rows, geometry.PackedColumns].</param>
    /// <param name="scratch">At least <see cref="CausalScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Causal(
        float* gradient, float* packed, int* starts, int rows, AttentionGeometry geometry, float* output, void* scratch, long scratchBytes, WorkerPool pool,
        VectorWidth width = VectorWidth.Best)
    {
        AttentionGuards.RequireHeadSize(geometry.HeadSize);
        (nint size, int group) = (geometry.HeadSize, geometry.GroupSize);
        var cursor = new ScratchCursor(scratch, scratchBytes);
        RowRuns sequences = RowRuns.Sequences(starts, rows, (int*)cursor.Floats(RowRuns.SequenceIntegers(rows)));
        Run(
            new Problem
            {
                Query = packed, Key = packed + (group * size), Value = packed + ((group + 1) * size), InputRow = geometry.PackedColumns, Gradient = gradient,
                GradientRow = geometry.QueryColumns, QueryOut = output, KeyOut = output + (group * size), ValueOut = output + ((group + 1) * size),
                OutputRow = geometry.PackedColumns, HeadStep = (group + 2) * size, GradientStep = group * size, Sequences = sequences, Heads = geometry.KeyValueHeads,
                Group = group, HeadSize = geometry.HeadSize, IsCausal = true,
            },
            sequences.Count, rows, ref cursor, pool, width);
    }

    /// <param name="gradient">[images x tokens, width].</param>
    /// <param name="query">As <paramref name="gradient"/>.</param>
    /// <param name="key">As <paramref name="gradient"/>.</param>
    /// <param name="value">As <paramref name="gradient"/>.</param>
    /// <param name="images">Pictures.</param>
    /// <param name="tokensPerImage">Rows of a picture.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="headSize">Floats of a head.</param>
    /// <param name="output">[images x tokens, 3 width]: gradients of queries, keys and values side by side.</param>
    /// <param name="scratch">At least <see cref="VisionScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Vision(
        float* gradient, float* query, float* key, float* value, int images, int tokensPerImage, int heads, int headSize, float* output,
        void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        AttentionGuards.RequireHeadSize(headSize);
        int columns = heads * headSize;
        var cursor = new ScratchCursor(scratch, scratchBytes);
        Run(
            new Problem
            {
                Query = query, Key = key, Value = value, InputRow = columns, Gradient = gradient, GradientRow = columns, QueryOut = output, KeyOut = output + columns,
                ValueOut = output + (2 * columns), OutputRow = 3 * columns, HeadStep = headSize, GradientStep = headSize, Tokens = tokensPerImage, Heads = heads,
                Group = 1, HeadSize = headSize, IsCausal = false,
            },
            images, tokensPerImage, ref cursor, pool, width);
    }

    private static void Run(in Problem problem, int parts, int mostTokens, ref ScratchCursor cursor, WorkerPool pool, VectorWidth width)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (mostTokens == 0 || parts == 0)
            return;
        long workerFloats = WorkerFloats(mostTokens, problem.HeadSize);
        float* memory = cursor.Floats(pool.Threads * workerFloats);
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(problem, parts, memory, workerFloats, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(problem, parts, memory, workerFloats, pool); break;
            default: Run<Simd128, Vector128<float>>(problem, parts, memory, workerFloats, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(in Problem problem, int parts, float* memory, long workerFloats, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var work = new Work<TSimd, TVector>(problem, memory, workerFloats);
        pool.Run(checked(parts * problem.Heads), ref work);
    }

    // Keys and values transposed, scores and their gradients for a block of queries, and the products' own.
    private static long WorkerFloats(int tokens, int headSize) =>
        (2L * Padded(tokens) * headSize) + (2L * Padded(tokens) * BlockQueries) + TileProduct.Floats;

    private static int Padded(int tokens) => (tokens + 15) & ~15;

    private readonly struct Problem
    {
        public float* Query { get; init; }

        public float* Key { get; init; }

        public float* Value { get; init; }

        public nint InputRow { get; init; }

        public float* Gradient { get; init; }

        public nint GradientRow { get; init; }

        public float* QueryOut { get; init; }

        public float* KeyOut { get; init; }

        public float* ValueOut { get; init; }

        public nint OutputRow { get; init; }

        /// <summary>Floats from one key/value head to the next, in inputs and outputs.</summary>
        public nint HeadStep { get; init; }

        public nint GradientStep { get; init; }

        /// <summary>Rows of a picture; 0 where there are <see cref="Sequences"/>.</summary>
        public int Tokens { get; init; }

        public RowRuns Sequences { get; init; }

        public int Heads { get; init; }

        public int Group { get; init; }

        public int HeadSize { get; init; }

        public bool IsCausal { get; init; }
    }

    private readonly struct Work<TSimd, TVector>(Problem problem, float* memory, long workerFloats) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int part = task / problem.Heads, size = problem.HeadSize;
            (int start, int end) = problem.Tokens > 0 ? (part * problem.Tokens, (part + 1) * problem.Tokens) : problem.Sequences[part];
            int tokens = end - start, stride = Padded(tokens);
            float* keys = memory + (worker * workerFloats);
            float* values = keys + ((long)stride * size);
            float* scores = values + ((long)stride * size);
            float* slopes = scores + ((long)stride * BlockQueries);
            float* scratch = slopes + ((long)stride * BlockQueries);
            nint firstRow = start, head = task % problem.Heads;
            nint input = (firstRow * problem.InputRow) + (head * problem.HeadStep), output = (firstRow * problem.OutputRow) + (head * problem.HeadStep);
            float* key = problem.Key + input;
            float* value = problem.Value + input;
            Transpose(key, tokens, keys, stride);
            Transpose(value, tokens, values, stride);
            for (int row = 0; row < tokens; row++)
            {
                new Span<float>(problem.KeyOut + output + (row * problem.OutputRow), size).Clear();
                new Span<float>(problem.ValueOut + output + (row * problem.OutputRow), size).Clear();
            }

            for (int member = 0; member < problem.Group; member++)
            {
                nint shift = member * (nint)size;
                for (int first = 0; first < tokens; first += BlockQueries)
                {
                    int rows = Math.Min(BlockQueries, tokens - first);
                    int seen = problem.IsCausal ? first + rows : tokens;
                    float* query = problem.Query + input + shift + (first * problem.InputRow);
                    float* gradient = problem.Gradient + ((firstRow + first) * problem.GradientRow) + (head * problem.GradientStep) + shift;
                    TileProduct.Run<TSimd, TVector>(query, problem.InputRow, 1, rows, size, keys, stride, seen, scores, stride, false, scratch);
                    TileProduct.Run<TSimd, TVector>(gradient, problem.GradientRow, 1, rows, size, values, stride, seen, slopes, stride, false, scratch);
                    for (int row = 0; row < rows; row++)
                        Row(scores + ((nint)row * stride), slopes + ((nint)row * stride), problem.IsCausal ? first + row + 1 : tokens, seen);
                    TileProduct.Run<TSimd, TVector>(
                        slopes, stride, 1, rows, seen, key, problem.InputRow, size, problem.QueryOut + output + shift + (first * problem.OutputRow), problem.OutputRow, false, scratch);
                    TileProduct.Run<TSimd, TVector>(
                        slopes, 1, stride, seen, rows, query, problem.InputRow, size, problem.KeyOut + output, problem.OutputRow, true, scratch);
                    TileProduct.Run<TSimd, TVector>(
                        scores, 1, stride, seen, rows, gradient, problem.GradientRow, size, problem.ValueOut + output, problem.OutputRow, true, scratch);
                }
            }
        }

        private void Transpose(float* source, int tokens, float* target, int stride)
        {
            for (int token = 0; token < tokens; token++)
                for (int i = 0; i < problem.HeadSize; i++)
                    target[((nint)i * stride) + token] = source[(token * problem.InputRow) + i];
        }

        // Scores become probabilities, and gradients of probabilities those of scores before their scale, which is in them too.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Row(float* scores, float* slopes, int visible, int seen)
        {
            int padded = Padded(seen);
            float scale = 1f / MathF.Sqrt(problem.HeadSize);
            new Span<float>(scores + visible, padded - visible).Fill(float.NegativeInfinity);
            new Span<float>(slopes + seen, padded - seen).Clear();
            TVector largest = TSimd.Load(scores), factor = TSimd.Broadcast(scale * Exponential.Log2E);
            for (int i = TSimd.Count; i < padded; i += TSimd.Count)
                largest = TSimd.Max(largest, TSimd.Load(scores + i));
            TVector most = TSimd.Broadcast(TSimd.MaxAcross(largest)), sums = TSimd.Broadcast(0f), products = sums;
            for (int i = 0; i < padded; i += TSimd.Count)
            {
                TVector power = Exponential.PowerOfTwo<TSimd, TVector>(TSimd.Multiply(TSimd.Subtract(TSimd.Load(scores + i), most), factor));
                sums = TSimd.Add(sums, power);
                products = TSimd.MultiplyAdd(power, TSimd.Load(slopes + i), products);
                TSimd.Store(power, scores + i);
            }

            float share = 1f / TSimd.Sum(sums);
            TVector shares = TSimd.Broadcast(share), mean = TSimd.Broadcast(TSimd.Sum(products) * share), scales = TSimd.Broadcast(scale);
            for (int i = 0; i < padded; i += TSimd.Count)
            {
                TVector probability = TSimd.Multiply(TSimd.Load(scores + i), shares);
                TSimd.Store(probability, scores + i);
                TSimd.Store(TSimd.Multiply(TSimd.Multiply(probability, TSimd.Subtract(TSimd.Load(slopes + i), mean)), scales), slopes + i);
            }
        }
    }
}

namespace XComposer2.Native.Cpu;

/// <summary>
/// A linear over many rows (prefill, vision). Rows are packed once, visual ones first. A task then takes one panel of outputs: it widens and
/// transposes its weights once and multiplies all rows with them, tile by tile in registers. Partial LoRA is a second, small product over the
/// blocks of visual rows only. Rows come in chunks that stay in the last-level cache while panel after panel walks over them.
/// </summary>
internal static unsafe class PackedLinear
{
    private const long ChunkBytes = 16L * 1024 * 1024;

    private const long LeastChunkBlocks = 16;

    private const int TasksPerThread = 4;

    // Fewer rows than this do not repay packing the same weights for another part of them.
    private const int LeastPartBlocks = 16;

    private const int RowFloats = PanelProduct.MostColumns;

    public static long ScratchBytes(int rows, int inputs, int rank, int branches, int threads)
    {
        int chunk = Math.Min(MostChunkRows(inputs), PackedRows.BlocksOf(rows) * PackedRows.BlockRows);
        return checked(
            ScratchCursor.BytesFor(rows)
            + ScratchCursor.BytesFor(PackedRows.Floats(chunk, inputs))
            + (branches * (ScratchCursor.BytesFor((long)chunk * rank) + ScratchCursor.BytesFor(PackedRows.Floats(chunk, Math.Max(1, rank)))))
            + ScratchCursor.BytesFor(threads * WorkerFloats(chunk, inputs, rank)));
    }

    public static void Run<TSimd, TVector>(in LinearProblem problem, void* scratch, long scratchBytes, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var cursor = new ScratchCursor(scratch, scratchBytes);
        RowOrder order = problem.Order((int*)cursor.Floats(problem.Rows));
        int chunkRows = ChunkRows(problem.Rows, problem.Inputs);
        for (int first = 0; first < problem.Rows; first += chunkRows)
        {
            ScratchCursor rest = cursor;
            Chunk<TSimd, TVector>(problem, order.Slice(first, Math.Min(chunkRows, problem.Rows - first)), ref rest, pool);
        }
    }

    private static void Chunk<TSimd, TVector>(in LinearProblem problem, RowOrder order, ref ScratchCursor cursor, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        PackedRows rows = Pack(problem.Input, problem.Inputs, order, ref cursor, pool);
        long workerFloats = WorkerFloats(order.Count, problem.Inputs, problem.Rank);
        float* memory = cursor.Floats(workerFloats * pool.Threads);
        PackedRows reduced = Reduce<TSimd, TVector>(problem.Main, rows, order.Visual, memory, workerFloats, ref cursor, pool);
        PackedRows upReduced = problem.Up is { } up
            ? Reduce<TSimd, TVector>(up, rows, order.Visual, memory, workerFloats, ref cursor, pool)
            : default;
        int panels = Panels<TSimd, TVector>(problem.Outputs);
        int parts = Math.Clamp(((TasksPerThread * pool.Threads) + panels - 1) / panels, 1, Math.Max(1, rows.Blocks / LeastPartBlocks));
        var work = new Main<TSimd, TVector>(problem, order, rows, reduced, upReduced, memory, workerFloats, parts);
        pool.Run(checked(panels * parts), ref work);
    }

    private static PackedRows Pack(float* source, int inputs, RowOrder order, ref ScratchCursor cursor, WorkerPool pool)
    {
        var rows = new PackedRows(cursor.Floats(PackedRows.Floats(order.Count, inputs)), order.Count, inputs);
        var work = new Packing(source, rows, order);
        pool.Run(rows.Blocks, ref work);
        return rows;
    }

    // x Aᵀ of the visual rows, packed again; no rows where there is nothing to reduce.
    private static PackedRows Reduce<TSimd, TVector>(
        LinearBranch branch, PackedRows rows, int visual, float* memory, long workerFloats, ref ScratchCursor cursor, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        if (visual == 0 || branch.Lora is not { } lora)
            return default;
        float* reduced = cursor.Floats((long)visual * branch.Rank);
        var work = new Reduction<TSimd, TVector>(rows, visual, lora.A, reduced, memory, workerFloats);
        pool.Run(Panels<TSimd, TVector>(branch.Rank), ref work);
        return Pack(reduced, branch.Rank, RowOrder.Unchanged(visual), ref cursor, pool);
    }

    private static int Panels<TSimd, TVector>(int outputs)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => (int)(((long)outputs + (3 * TSimd.Count) - 1) / (3 * TSimd.Count));

    // Whole blocks; chunks of one step are of about one size.
    private static int ChunkRows(int rows, int inputs)
    {
        int most = MostChunkRows(inputs);
        int chunks = Math.Max(1, (int)(((long)rows + most - 1) / most));
        return PackedRows.BlocksOf((rows + chunks - 1) / chunks) * PackedRows.BlockRows;
    }

    private static int MostChunkRows(int inputs) =>
        (int)Math.Max(LeastChunkBlocks, ChunkBytes / (inputs * (long)sizeof(float)) / PackedRows.BlockRows) * PackedRows.BlockRows;

    // A panel of weights, sums of both branches, what Partial LoRA adds, the bias.
    private static long WorkerFloats(int rows, int inputs, int rank) => checked(
        PackedPanel.Floats(Math.Max(inputs, rank)) + (3L * PackedRows.BlocksOf(rows) * PackedRows.BlockRows * RowFloats) + RowFloats);

    // Sums of rows of x over one panel of weights.
    private static void Multiply<TSimd, TVector>(PackedRows x, int firstBlock, int rows, in WeightMatrix weights, int first, float* panelMemory, float* sums)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int columns = 3 * TSimd.Count;
        var panel = new PackedPanel(panelMemory, columns, weights.Columns);
        panel.Pack<TSimd, TVector>(weights, first, Math.Min(columns, weights.Rows - first));
        for (int lane = 0; lane < SummationOrder.Lanes; lane++)
        {
            float* w = panel.Plane(lane);
            for (int row = 0; row < rows; row += PackedRows.BlockRows)
            {
                float* block = x.Block(lane, firstBlock + (row / PackedRows.BlockRows));
                float* tile = sums + ((nint)row * columns);
                int count = Math.Min(PackedRows.BlockRows, rows - row);
                if (lane == 0)
                    PanelProduct.Multiply<TSimd, TVector>(block, 1, PackedRows.BlockRows, count, x.Steps, w, tile, null);
                else
                    PanelProduct.MultiplyOnto<TSimd, TVector>(block, 1, PackedRows.BlockRows, count, x.Steps, w, tile);
            }
        }

        LinearEpilogue.ScaleRows<TSimd, TVector>(weights, sums, rows, columns, first, Math.Min(columns, weights.Rows - first));
    }

    private readonly struct Packing(float* source, PackedRows rows, RowOrder order) : IWork
    {
        public void Run(int task, int worker) => rows.Pack(task, source, order);
    }

    private readonly struct Reduction<TSimd, TVector>(
        PackedRows rows, int visual, WeightMatrix a, float* reduced, float* memory, long workerFloats) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int columns = 3 * TSimd.Count;
            int first = task * columns;
            int count = Math.Min(columns, a.Rows - first);
            float* panel = memory + (nint)(worker * workerFloats);
            float* sums = panel + (nint)PackedPanel.Floats(a.Columns);
            Multiply<TSimd, TVector>(rows, 0, visual, a, first, panel, sums);
            for (int row = 0; row < visual; row++)
                new ReadOnlySpan<float>(sums + ((nint)row * columns), count).CopyTo(new Span<float>(reduced + ((nint)row * a.Rows) + first, count));
        }
    }

    private readonly struct Main<TSimd, TVector>(
        LinearProblem problem, RowOrder order, PackedRows rows, PackedRows reduced, PackedRows upReduced,
        float* memory, long workerFloats, int parts) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int columns = 3 * TSimd.Count;
            int first = task / parts * columns;
            int firstBlock = (int)((long)rows.Blocks * (task % parts) / parts);
            int endBlock = (int)((long)rows.Blocks * ((task % parts) + 1) / parts);
            RowOrder part = order.Slice(
                firstBlock * PackedRows.BlockRows, Math.Min(endBlock * PackedRows.BlockRows, order.Count) - (firstBlock * PackedRows.BlockRows));

            nint tileFloats = (nint)PackedRows.BlocksOf(part.Count) * PackedRows.BlockRows * columns;
            float* panel = memory + (nint)(worker * workerFloats);
            float* bias = panel + (nint)PackedPanel.Floats(Math.Max(problem.Inputs, problem.Rank));
            float* sums = bias + RowFloats;
            float* low = sums + tileFloats;
            float* upSums = problem.Up is null ? null : low + tileFloats;
            Branch(problem.Main, reduced, part, firstBlock, first, panel, sums, low);
            if (problem.Up is { } up)
                Branch(up, upReduced, part, firstBlock, first, panel, upSums, low);
            LinearEpilogue.Finish<TSimd, TVector>(
                problem, sums, upSums, columns, part, first, Math.Min(columns, problem.Outputs - first), bias);
        }

        private void Branch(
            LinearBranch branch, PackedRows reducedRows, RowOrder part, int firstBlock, int first, float* panel, float* sums, float* low)
        {
            Multiply<TSimd, TVector>(rows, firstBlock, part.Count, branch.Weight, first, panel, sums);
            if (part.Visual == 0 || branch.Lora is not { } lora)
                return;
            Multiply<TSimd, TVector>(reducedRows, firstBlock, part.Visual, lora.B, first, panel, low);
            LinearEpilogue.AddScaled<TSimd, TVector>(low, lora.Scale, sums, (nint)part.Visual * 3 * TSimd.Count);
        }
    }
}

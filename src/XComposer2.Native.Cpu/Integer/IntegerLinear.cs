using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// A linear with packed integers among its weights. Rows are quantised once, visual ones first; a task then takes some outputs and multiplies all rows with them, a
/// few rows at a time, while the weights stay in the second cache. Matrices of floats (Partial LoRA as stored) are multiplied as ever.
/// </summary>
internal static unsafe class IntegerLinear
{
    // Quantised rows that stay in the last-level cache while task after task reads them.
    private const long ChunkBytes = 4L * 1024 * 1024;

    private const int LeastChunkRows = 64;

    // Enough to be worth handing out, few enough that threads finish together and that weights stay in the second cache.
    private const long TaskBytes = 96 * 1024;

    private const int MostTaskOutputs = 256;

    // Whole strips of every instruction set.
    private const int OutputStep = 16;

    // Rows whose sums are finished together.
    private const int TileRows = 32;

    public static long ScratchBytes(int rows, int inputs, int rank, int branches, int threads)
    {
        int chunk = Math.Min(rows, ChunkRows(inputs));
        return checked(
            ScratchCursor.BytesFor(rows)
            + (branches * (ScratchCursor.BytesFor(QuantizedRows.Floats(chunk, inputs))
                + ScratchCursor.BytesFor(QuantizedRows.Floats(chunk, inputs))
                + ScratchCursor.BytesFor((long)chunk * Padded(rank))
                + ScratchCursor.BytesFor(QuantizedRows.Floats(chunk, Math.Max(rank, 1)))))
            + ScratchCursor.BytesFor(threads * WorkerFloats(Math.Min(rows, TileRows))));
    }

    public static void Run<TSimd, TVector>(in LinearProblem problem, void* scratch, long scratchBytes, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var cursor = new ScratchCursor(scratch, scratchBytes);
        RowOrder order = problem.Order((int*)cursor.Floats(problem.Rows));
        int chunkRows = ChunkRows(problem.Inputs);
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
        Factors main = Prepare<TSimd, TVector>(problem.Input, order, problem.Main, null, ref cursor, pool);
        Factors up = problem.Up is { } second ? Prepare<TSimd, TVector>(problem.Input, order, second, main, ref cursor, pool) : default;
        float* memory = cursor.Floats(pool.Threads * WorkerFloats(Math.Min(order.Count, TileRows)));
        int taskOutputs = TaskOutputs(problem.Main.Weight);
        var work = new Main<TSimd, TVector>(problem, order, main, up, memory, taskOutputs);
        pool.Run(Tasks(problem.Outputs, taskOutputs), ref work);
    }

    // Everything that one branch multiplies its matrices with.
    private static Factors Prepare<TSimd, TVector>(float* input, RowOrder order, LinearBranch branch, Factors? other, ref ScratchCursor cursor, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var factors = new Factors { Input = input };
        factors.Rows = Quantize(input, order, order.Count, branch.Weight, other, ref cursor, pool);
        factors.Columns = branch.Weight.Integers is { } integers ? integers.Columns : null;
        if (order.Visual == 0 || branch.Lora is not { } lora)
            return factors;
        QuantizedRows down = lora.A.Integers is null ? default
            : CanShare(branch.Weight, lora.A) ? factors.Rows : Quantize(input, order, order.Visual, lora.A, null, ref cursor, pool);
        factors.Reduced = cursor.Floats((long)order.Visual * Padded(branch.Rank));
        int taskOutputs = TaskOutputs(lora.A);
        var work = new Reduction<TSimd, TVector>(input, order, lora.A, down, factors.Reduced, taskOutputs);
        pool.Run(Tasks(branch.Rank, taskOutputs), ref work);
        factors.ReducedRows = Quantize(factors.Reduced, RowOrder.Unchanged(order.Visual), order.Visual, lora.B, null, ref cursor, pool, Padded(branch.Rank));
        return factors;
    }

    private static QuantizedRows Quantize(
        float* input, RowOrder order, int rows, in WeightMatrix weight, Factors? other, ref ScratchCursor cursor, WorkerPool pool, nint stride = 0)
    {
        if (weight.Integers is not { } integers)
            return default;
        if (other is { } made && made.Rows.Blocks == integers.Blocks && made.Rows.IsWide == IsWide(integers) && made.Columns == integers.Columns)
            return made.Rows;
        var quantized = new QuantizedRows(cursor.Floats(QuantizedRows.Floats(rows, weight.Columns)), rows, weight.Columns, IsWide(integers));
        var work = new Quantization(input, order, quantized, integers.Columns, stride == 0 ? weight.Columns : stride);
        if (rows == 1)
            work.Run(0, 0);
        else
            pool.Run(rows, ref work);
        return quantized;
    }

    private static bool IsWide(PackedIntegers integers) => !integers.IsNibbles && integers.Instructions.WidensBytes();

    private static bool CanShare(in WeightMatrix weight, in WeightMatrix other) =>
        weight.Integers is { } integers && other.Integers is { } others && IsWide(integers) == IsWide(others) && integers.Columns == others.Columns;

    // Reduced rows are written in whole strips.
    private static int Padded(int outputs) => (int)(((long)outputs + OutputStep - 1) / OutputStep * OutputStep);

    private static int ChunkRows(int inputs) =>
        (int)Math.Max(LeastChunkRows, ChunkBytes / (QuantizedRows.Floats(1, inputs) * sizeof(float)) / TileRows * TileRows);

    // Sums of both branches, what Partial LoRA adds, the bias.
    private static long WorkerFloats(int rows) => ((3L * rows) + 1) * MostTaskOutputs;

    private static int TaskOutputs(in WeightMatrix weight)
    {
        long rowBytes = Math.Max(1, weight.Format.Elements.Bytes(weight.Columns));
        return (int)Math.Clamp(TaskBytes / rowBytes / OutputStep * OutputStep, OutputStep, MostTaskOutputs);
    }

    private static int Tasks(int outputs, int taskOutputs) => (int)(((long)outputs + taskOutputs - 1) / taskOutputs);

    // Sums of rows of x over some outputs: integers where both are, else floats.
    private static void Multiply<TSimd, TVector>(
        float* input, QuantizedRows quantized, RowOrder order, int firstRow, int rows, in WeightMatrix weight, int first, int count, float* sums, nint stride)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        if (weight.Integers is { } integers)
            IntegerDots.Multiply(integers, quantized, firstRow, rows, first, count, sums, stride);
        else
            DotProducts.Multiply<TSimd, TVector>(input, order.Slice(firstRow, rows), rows, weight, first, count, sums, stride);
    }

    private struct Factors
    {
        public float* Input;
        public QuantizedRows Rows;
        public int* Columns;

        /// <summary>x Aᵀ of the visual rows; null where there is nothing to reduce.</summary>
        public float* Reduced;
        public QuantizedRows ReducedRows;
    }

    private readonly struct Quantization(float* input, RowOrder order, QuantizedRows quantized, int* columns, nint stride) : IWork
    {
        public void Run(int task, int worker) => quantized.Quantize(task, input + (order[task] * stride), columns);
    }

    private readonly struct Reduction<TSimd, TVector>(float* input, RowOrder order, WeightMatrix a, QuantizedRows quantized, float* reduced, int taskOutputs) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int first = task * taskOutputs;
            Multiply<TSimd, TVector>(input, quantized, order, 0, order.Visual, a, first, Math.Min(taskOutputs, a.Rows - first), reduced + first, Padded(a.Rows));
        }
    }

    private readonly struct Main<TSimd, TVector>(LinearProblem problem, RowOrder order, Factors main, Factors up, float* memory, int taskOutputs) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int first = task * taskOutputs;
            int count = Math.Min(taskOutputs, problem.Outputs - first);
            int mostRows = Math.Min(order.Count, TileRows);
            nint tileFloats = (nint)mostRows * taskOutputs;
            float* sums = memory + (worker * (nint)WorkerFloats(mostRows));
            float* low = sums + tileFloats;
            float* upSums = problem.Up is null ? null : low + tileFloats;
            float* bias = sums + (3 * tileFloats);
            for (int row = 0; row < order.Count; row += TileRows)
            {
                RowOrder tile = order.Slice(row, Math.Min(TileRows, order.Count - row));
                Branch(problem.Main, main, tile, row, first, count, sums, low);
                if (problem.Up is { } second)
                    Branch(second, up, tile, row, first, count, upSums, low);
                LinearEpilogue.Finish<TSimd, TVector>(problem, sums, upSums, taskOutputs, tile, first, count, bias);
            }
        }

        private void Branch(LinearBranch branch, Factors factors, RowOrder tile, int row, int first, int count, float* sums, float* low)
        {
            Multiply<TSimd, TVector>(problem.Input, factors.Rows, order, row, tile.Count, branch.Weight, first, count, sums, taskOutputs);
            if (tile.Visual == 0 || branch.Lora is not { } lora)
                return;
            MultiplyReduced(factors, lora.B, row, tile.Visual, first, count, low);
            LinearEpilogue.AddScaled<TSimd, TVector>(low, lora.Scale, sums, (nint)tile.Visual * taskOutputs);
        }

        private void MultiplyReduced(Factors factors, WeightMatrix b, int row, int rows, int first, int count, float* low)
        {
            if (b.Integers is { } integers)
            {
                IntegerDots.Multiply(integers, factors.ReducedRows, row, rows, first, count, low, taskOutputs);
                return;
            }

            // Rows that stand at their distance are multiplied together, others one by one: the results are the same.
            int together = Padded(b.Columns) == b.Columns ? rows : 1;
            for (int i = 0; i < rows; i += together)
            {
                float* reduced = factors.Reduced + ((nint)(row + i) * Padded(b.Columns));
                DotProducts.Multiply<TSimd, TVector>(reduced, RowOrder.Unchanged(together), together, b, first, count, low + ((nint)i * taskOutputs), taskOutputs);
            }
        }
    }
}

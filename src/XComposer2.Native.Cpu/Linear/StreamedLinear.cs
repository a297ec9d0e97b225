namespace XComposer2.Native.Cpu;

/// <summary>A linear over a few rows (decode, small batches): outputs are cut into tasks, and each task streams its weights once for all rows.
/// Visual rows are first reduced to the rank, in a pass of their own that text rows have no part in.</summary>
internal static unsafe class StreamedLinear
{
    /// <summary>More rows than this are quicker in packed tiles. The results are the same.</summary>
    public const int MostRows = 16;

    // Enough to be worth handing out, and few enough that threads finish together.
    private const long TaskBytes = 96 * 1024;

    private const int MostTaskOutputs = 256;

    public static long ScratchBytes(int rows, int rank, int branches, int threads)
    {
        rows = Math.Min(rows, MostRows);
        return checked(
            ScratchCursor.BytesFor(rows)
            + (branches * ScratchCursor.BytesFor((long)rows * rank))
            + ScratchCursor.BytesFor(threads * WorkerFloats(rows)));
    }

    public static void Run<TSimd, TVector>(in LinearProblem problem, void* scratch, long scratchBytes, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var cursor = new ScratchCursor(scratch, scratchBytes);
        RowOrder order = problem.Order((int*)cursor.Floats(problem.Rows));
        float* reduced = Reduce<TSimd, TVector>(problem, problem.Main, order, ref cursor, pool);
        float* upReduced = problem.Up is { } up ? Reduce<TSimd, TVector>(problem, up, order, ref cursor, pool) : null;
        float* memory = cursor.Floats(pool.Threads * WorkerFloats(problem.Rows));
        int taskOutputs = TaskOutputs(problem.Main.Weight);
        var work = new Main<TSimd, TVector>(problem, order, reduced, upReduced, memory, taskOutputs);
        pool.Run(Tasks(problem.Outputs, taskOutputs), ref work);
    }

    // x Aᵀ of the visual rows; null where there is nothing to reduce.
    private static float* Reduce<TSimd, TVector>(
        in LinearProblem problem, LinearBranch branch, RowOrder order, ref ScratchCursor cursor, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        if (order.Visual == 0 || branch.Lora is not { } lora)
            return null;
        float* reduced = cursor.Floats((long)order.Visual * branch.Rank);
        int taskOutputs = TaskOutputs(lora.A);
        var work = new Reduction<TSimd, TVector>(problem.Input, order, lora.A, reduced, taskOutputs);
        pool.Run(Tasks(branch.Rank, taskOutputs), ref work);
        return reduced;
    }

    // Sums of both branches, what Partial LoRA adds, the bias.
    private static long WorkerFloats(int rows) => ((3L * rows) + 1) * MostTaskOutputs;

    private static int TaskOutputs(in WeightMatrix weight)
    {
        const int Step = SummationOrder.Lanes;
        long rowBytes = weight.Columns * 2L;
        return (int)Math.Clamp(TaskBytes / rowBytes / Step * Step, Step, MostTaskOutputs);
    }

    private static int Tasks(int outputs, int taskOutputs) => (int)(((long)outputs + taskOutputs - 1) / taskOutputs);

    private readonly struct Reduction<TSimd, TVector>(float* input, RowOrder order, WeightMatrix a, float* reduced, int taskOutputs) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int first = task * taskOutputs;
            DotProducts.Multiply<TSimd, TVector>(
                input, order, order.Visual, a, first, Math.Min(taskOutputs, a.Rows - first), reduced + first, a.Rows);
        }
    }

    private readonly struct Main<TSimd, TVector>(
        LinearProblem problem, RowOrder order, float* reduced, float* upReduced, float* memory, int taskOutputs) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            int first = task * taskOutputs;
            int count = Math.Min(taskOutputs, problem.Outputs - first);
            nint tileFloats = (nint)order.Count * taskOutputs;
            float* sums = memory + (worker * (nint)WorkerFloats(order.Count));
            float* low = sums + tileFloats;
            float* upSums = problem.Up is null ? null : low + tileFloats;
            float* bias = sums + (3 * tileFloats);
            Branch(problem.Main, reduced, first, count, sums, low);
            if (problem.Up is { } up)
                Branch(up, upReduced, first, count, upSums, low);
            LinearEpilogue.Finish<TSimd, TVector>(problem, sums, upSums, taskOutputs, order, first, count, bias);
        }

        private void Branch(LinearBranch branch, float* reducedRows, int first, int count, float* sums, float* low)
        {
            DotProducts.Multiply<TSimd, TVector>(problem.Input, order, order.Count, branch.Weight, first, count, sums, taskOutputs);
            if (reducedRows is null || branch.Lora is not { } lora)
                return;
            DotProducts.Multiply<TSimd, TVector>(
                reducedRows, RowOrder.Unchanged(order.Visual), order.Visual, lora.B, first, count, low, taskOutputs);
            LinearEpilogue.AddScaled<TSimd, TVector>(low, lora.Scale, sums, (nint)order.Visual * taskOutputs);
        }
    }
}

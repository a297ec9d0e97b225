using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>The gradient of a linear's input: scale * (g W) + addend.</summary>
public static unsafe class LinearInputGradientKernel
{
    /// <summary>Scratch that <see cref="Run"/> needs.</summary>
    public static long ScratchBytes(int rows, int threads) => ScratchCursor.BytesFor(RowRuns.Integers(rows)) + MatrixProduct.ScratchBytes(threads);

    /// <param name="gradient">g [rows, weight.Rows].</param>
    /// <param name="rows">Rows; 0 does nothing.</param>
    /// <param name="weight">W [outputs, inputs] as stored; integers stand for their dequantised values, and are not packed.</param>
    /// <param name="scale">Factor of the product.</param>
    /// <param name="visualRow">[rows], negative for rows without a product; null for none.</param>
    /// <param name="addend">[rows, inputs]; null for zero.</param>
    /// <param name="output">[rows, inputs].</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Threads to run on.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* gradient, int rows, WeightMatrix weight, float scale, int* visualRow, float* addend, float* output,
        void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        var cursor = new ScratchCursor(scratch, scratchBytes);
        RowRuns runs = RowRuns.Visual(visualRow, rows, (int*)cursor.Floats(RowRuns.Integers(rows)));
        var problem = new ProductProblem
        {
            A = gradient, ARow = weight.Rows, AStep = 1, B = ProductProblem.Elements(weight, nameof(weight)), Integers = ProductProblem.IntegersOf(weight), Rows = runs, Steps = RowRuns.All(weight.Rows), Scale = scale, Addend = addend, Output = output,
        };
        MatrixProduct.Run(problem, ref cursor, pool, width);
    }
}

/// <summary>Adds scale * gᵀ x to the gradient of a linear's weight.</summary>
public static unsafe class LinearWeightGradientKernel
{
    /// <summary>Scratch that <see cref="Run"/> needs.</summary>
    public static long ScratchBytes(int rows, int threads) => LinearInputGradientKernel.ScratchBytes(rows, threads);

    /// <param name="gradient">g [rows, outputs].</param>
    /// <param name="input">x [rows, inputs].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="outputs">Columns of g.</param>
    /// <param name="inputs">Columns of x.</param>
    /// <param name="scale">Factor of the product.</param>
    /// <param name="visualRow">[rows], negative for rows that are left out; null for none.</param>
    /// <param name="sum">[outputs, inputs], added to.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Threads to run on.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* gradient, float* input, int rows, int outputs, int inputs, float scale, int* visualRow, float* sum,
        void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        var cursor = new ScratchCursor(scratch, scratchBytes);
        RowRuns runs = RowRuns.Visual(visualRow, rows, (int*)cursor.Floats(RowRuns.Integers(rows)));
        var problem = new ProductProblem
        {
            A = gradient, ARow = 1, AStep = outputs, B = new FloatMatrix((nint)input, DType.F32, rows, inputs),
            Rows = RowRuns.All(outputs), Steps = runs, Scale = scale, Addend = sum, Output = sum,
        };
        MatrixProduct.Run(problem, ref cursor, pool, width);
    }
}

/// <summary>Adds rows that follow each other a period apart: the gradients of biases, class tokens and position tables.</summary>
public static unsafe class RowSumKernel
{
    private const int BlockColumns = 256;

    /// <param name="gradient">[rows, columns].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="period">Row i of the sum receives rows i, i + period, i + 2 period and so on.</param>
    /// <param name="sums">Rows of the sum, at most the period.</param>
    /// <param name="sum">[sums, columns], added to.</param>
    /// <param name="pool">Threads to run on.</param>
    public static void Run(float* gradient, int rows, int columns, int period, int sums, float* sum, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sums, period);
        var work = new Work(gradient, rows, columns, period, sums, sum);
        pool.Run(checked(sums * ((columns + BlockColumns - 1) / BlockColumns)), ref work);
    }

    private readonly struct Work(float* gradient, int rows, int columns, int period, int sums, float* sum) : IWork
    {
        public void Run(int task, int worker)
        {
            int row = task % sums, first = task / sums * BlockColumns, count = Math.Min(BlockColumns, columns - first);
            float* part = stackalloc float[BlockColumns];
            new Span<float>(part, count).Clear();
            for (int source = row; source < rows; source += period)
                RowAddition.Add(gradient + ((nint)source * columns) + first, 1, part, count);
            RowAddition.Add(part, 1, sum + ((nint)row * columns) + first, count);
        }
    }
}

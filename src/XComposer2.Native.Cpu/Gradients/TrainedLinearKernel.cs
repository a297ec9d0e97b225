using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// x Wᵀ + bias + Partial LoRA on visual rows + residual, as a training step computes it: each element is one running sum. <see cref="LinearKernel"/> keeps sixteen, so that decoding
/// and prefill agree to the bit; with the short sums of small models a third of its time is spent on them.
/// </summary>
public static unsafe class TrainedLinearKernel
{
    /// <summary>Scratch that <see cref="Run"/> needs.</summary>
    /// <param name="rows">Rows of x.</param>
    /// <param name="rank">Rows of A; 0 without Partial LoRA.</param>
    /// <param name="threads">Threads of the pool.</param>
    public static long ScratchBytes(int rows, int rank, int threads) =>
        ScratchCursor.BytesFor(RowRuns.Integers(rows)) + ScratchCursor.BytesFor((long)rows * rank) + MatrixProduct.ScratchBytes(threads);

    /// <param name="input">x [rows, weight.Columns].</param>
    /// <param name="rows">Rows; 0 does nothing.</param>
    /// <param name="weight">W [outputs, inputs] of a floating type.</param>
    /// <param name="bias">[1, outputs]; null for none.</param>
    /// <param name="residual">[rows, outputs]; null for none.</param>
    /// <param name="lora">Of floating types; null for none.</param>
    /// <param name="visualRow">[rows], negative for text; null where all rows are text.</param>
    /// <param name="output">[rows, outputs]; may be the residual, but not overlap x.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Threads to run on.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* input, int rows, FloatMatrix weight, FloatMatrix? bias, float* residual, LoraMatrices? lora, int* visualRow, float* output,
        void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        FloatLoads.Require(weight, nameof(weight), weight.Rows, weight.Columns);
        if (bias is { } vector)
            FloatLoads.Require(vector, nameof(bias), 1, weight.Rows);
        var cursor = new ScratchCursor(scratch, scratchBytes);
        var product = new ProductProblem
        {
            A = input, ARow = weight.Columns, AStep = 1, B = weight, IsTransposed = true, Rows = RowRuns.All(rows), Steps = RowRuns.All(weight.Columns), Scale = 1, Bias = bias, Addend = residual, Output = output,
        };
        Product(product, cursor, pool, width);
        if (lora is not { } adapter || visualRow is null)
            return;
        FloatMatrix a = ProductProblem.Elements(adapter.A, nameof(lora)), b = ProductProblem.Elements(adapter.B, nameof(lora));
        FloatLoads.Require(a, nameof(lora), a.Rows, weight.Columns);
        FloatLoads.Require(b, nameof(lora), weight.Rows, a.Rows);
        RowRuns visual = RowRuns.Visual(visualRow, rows, (int*)cursor.Floats(RowRuns.Integers(rows)));
        if (visual.Count == 0)
            return;
        float* reduced = cursor.Floats((long)rows * a.Rows);
        Product(product with { B = a, Rows = visual, Bias = null, Addend = null, Output = reduced }, cursor, pool, width);
        Product(
            product with { A = reduced, ARow = a.Rows, B = b, Rows = visual, Steps = RowRuns.All(a.Rows), Scale = adapter.Scale, Bias = null, Addend = output }, cursor, pool, width);
    }

    private static void Product(in ProductProblem problem, ScratchCursor cursor, WorkerPool pool, VectorWidth width) => MatrixProduct.Run(problem, ref cursor, pool, width);
}

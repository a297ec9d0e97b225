namespace XComposer2.Native.Cpu;

/// <summary>silu(x Gateᵀ) * (x Upᵀ), each with its own Partial LoRA on visual rows.</summary>
public static unsafe class GatedLinearKernel
{
    /// <summary>Scratch that <see cref="Run"/> needs for up to <paramref name="rows"/> rows; 0 is possible.</summary>
    public static long ScratchBytes(int rows, int inputs, int outputs, int gateRank, int upRank, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(gateRank);
        return LinearPaths.ScratchBytes(rows, inputs, outputs, Math.Max(gateRank, upRank), branches: 2, threads);
    }

    /// <param name="input">x [rows, gate.Columns].</param>
    /// <param name="rows">Rows of x; 0 does nothing.</param>
    /// <param name="gate">[outputs, inputs] of any floating type, or I8 with row scales, used as stored.</param>
    /// <param name="up">As <paramref name="gate"/>.</param>
    /// <param name="gateLora">Null for none.</param>
    /// <param name="upLora">Null for none.</param>
    /// <param name="visualRow">[rows], negative for text; null where all rows are text.</param>
    /// <param name="output">[rows, outputs]; may not overlap the inputs.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Threads to run on.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* input, int rows, FloatMatrix gate, FloatMatrix up, LoraMatrices? gateLora, LoraMatrices? upLora, int* visualRow,
        float* output, void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        LinearProblem.Require(input, rows, output, pool);
        LinearBranch main = LinearProblem.Branch(gate, nameof(gate), gateLora, nameof(gateLora));
        LinearBranch second = LinearProblem.Branch(up, nameof(up), upLora, nameof(upLora));
        if (up.Rows != gate.Rows || up.Columns != gate.Columns)
            throw new ArgumentException($"expected [{gate.Rows}, {gate.Columns}], found [{up.Rows}, {up.Columns}]", nameof(up));
        var problem = new LinearProblem { Input = input, Rows = rows, Main = main, Up = second, VisualRow = visualRow, Output = output };
        LinearPaths.Run(problem, scratch, scratchBytes, pool, width);
    }
}

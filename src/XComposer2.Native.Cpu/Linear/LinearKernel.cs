using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>activation(x Wᵀ + bias + Partial LoRA on visual rows) + residual.</summary>
public static unsafe class LinearKernel
{
    /// <summary>Scratch that <see cref="Run"/> needs for up to <paramref name="rows"/> rows; 0 is possible.</summary>
    /// <param name="rows">Rows of x.</param>
    /// <param name="inputs">Columns of x.</param>
    /// <param name="outputs">Rows of W.</param>
    /// <param name="rank">Rows of A; 0 without Partial LoRA.</param>
    /// <param name="threads">Threads of the pool.</param>
    /// <param name="hasIntegers">A weight may be packed for integer products (<see cref="PackedIntegers"/>).</param>
    public static long ScratchBytes(int rows, int inputs, int outputs, int rank, int threads, bool hasIntegers = false) =>
        LinearPaths.ScratchBytes(rows, inputs, outputs, rank, branches: 1, threads, hasIntegers);

    /// <param name="input">x [rows, weight.Columns].</param>
    /// <param name="rows">Rows of x; 0 does nothing.</param>
    /// <param name="weight">W [outputs, inputs], used as stored.</param>
    /// <param name="bias">[1, outputs]; null for none.</param>
    /// <param name="activation">Applied before the residual is added.</param>
    /// <param name="residual">[rows, outputs]; null for none.</param>
    /// <param name="lora">Null for none. Rows without a visual token pay nothing and are bit for bit what they are without it.</param>
    /// <param name="visualRow">[rows], negative for text; null where all rows are text.</param>
    /// <param name="output">[rows, outputs]; may not overlap the inputs.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Threads to run on.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* input, int rows, WeightMatrix weight, FloatMatrix? bias, Activation activation, float* residual, LoraMatrices? lora, int* visualRow,
        float* output, void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        LinearProblem.Require(input, rows, output, pool);
        LinearBranch main = LinearProblem.Branch(weight, nameof(weight), lora, nameof(lora));
        if (bias is { } vector)
            FloatLoads.Require(vector, nameof(bias), 1, weight.Rows);
        if (activation is not (Activation.None or Activation.QuickGelu or Activation.Gelu))
            throw new ArgumentOutOfRangeException(nameof(activation), activation, "not an activation");
        var problem = new LinearProblem
        {
            Input = input, Rows = rows, Main = main, Bias = bias, Activation = activation, Residual = residual, VisualRow = visualRow, Output = output,
        };
        LinearPaths.Run(problem, scratch, scratchBytes, pool, width);
    }
}

/// <summary>silu(x Gateᵀ) * (x Upᵀ), each with its own Partial LoRA on visual rows.</summary>
public static unsafe class GatedLinearKernel
{
    /// <summary>Scratch that <see cref="Run"/> needs for up to <paramref name="rows"/> rows; 0 is possible.</summary>
    public static long ScratchBytes(int rows, int inputs, int outputs, int gateRank, int upRank, int threads, bool hasIntegers = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(gateRank);
        return LinearPaths.ScratchBytes(rows, inputs, outputs, Math.Max(gateRank, upRank), branches: 2, threads, hasIntegers);
    }

    /// <param name="input">x [rows, gate.Columns].</param>
    /// <param name="rows">Rows of x; 0 does nothing.</param>
    /// <param name="gate">[outputs, inputs], used as stored.</param>
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
        float* input, int rows, WeightMatrix gate, WeightMatrix up, LoraMatrices? gateLora, LoraMatrices? upLora, int* visualRow,
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

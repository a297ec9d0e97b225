using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class LinearStep(LinearOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly WeightMatrix weight = binder.Matrix(operation.Weight);
    private readonly FloatMatrix? bias = binder.Matrix(operation.Bias);
    private readonly Activation activation = operation.Activation;
    private readonly CpuOperand? residual = binder.Operand(operation.Residual);
    private readonly LoraMatrices? lora = binder.Lora(operation.Lora);
    private readonly CpuOperand? visualRow = binder.Operand(operation.VisualRow);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => LinearKernel.Run(
        input.Floats(run),
        input.Rows(run),
        weight,
        bias,
        activation,
        residual is { } added ? added.Floats(run) : null,
        lora,
        visualRow is { } rows ? rows.Integers(run) : null,
        output.Floats(run),
        scratch.Address(run),
        scratch.Bytes,
        run.Pool);
}

internal sealed unsafe class TrainedLinearStep(LinearOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly FloatMatrix weight = binder.Matrix(operation.Weight.Elements);
    private readonly FloatMatrix? bias = binder.Matrix(operation.Bias);
    private readonly CpuOperand? residual = binder.Operand(operation.Residual);
    private readonly LoraMatrices? lora = binder.Lora(operation.Lora);
    private readonly CpuOperand? visualRow = binder.Operand(operation.VisualRow);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    /// <summary>Integers, and activations in the same step, are left to <see cref="LinearStep"/>.</summary>
    public static bool Takes(LinearOp operation, bool hasFreeSums) =>
        hasFreeSums && operation.Activation == Activation.None && operation.LinearWeights.All(weight => weight.Format.IsFloat);

    public override void Run(in CpuRun run) => TrainedLinearKernel.Run(
        input.Floats(run), input.Rows(run), weight, bias, residual is { } added ? added.Floats(run) : null, lora, visualRow is { } rows ? rows.Integers(run) : null,
        output.Floats(run), scratch.Address(run), scratch.Bytes, run.Pool);
}

internal sealed unsafe class GatedLinearStep(GatedLinearOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly WeightMatrix gate = binder.Matrix(operation.Gate);
    private readonly WeightMatrix up = binder.Matrix(operation.Up);
    private readonly LoraMatrices? gateLora = binder.Lora(operation.GateLora);
    private readonly LoraMatrices? upLora = binder.Lora(operation.UpLora);
    private readonly CpuOperand? visualRow = binder.Operand(operation.VisualRow);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => GatedLinearKernel.Run(
        input.Floats(run),
        input.Rows(run),
        gate,
        up,
        gateLora,
        upLora,
        visualRow is { } rows ? rows.Integers(run) : null,
        output.Floats(run),
        scratch.Address(run),
        scratch.Bytes,
        run.Pool);
}

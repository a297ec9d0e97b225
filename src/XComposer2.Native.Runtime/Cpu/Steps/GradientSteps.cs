using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class LinearInputGradientStep(LinearInputGradientOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly WeightMatrix weight = binder.Matrix(operation.Weight);
    private readonly CpuOperand? visualRow = binder.Operand(operation.VisualRow);
    private readonly CpuOperand? addend = binder.Operand(operation.Addend);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => LinearInputGradientKernel.Run(
        gradient.Floats(run), gradient.Rows(run), weight, operation.Scale, visualRow is { } rows ? rows.Integers(run) : null, addend is { } added ? added.Floats(run) : null,
        output.Floats(run), scratch.Address(run), scratch.Bytes, run.Pool);
}

internal sealed unsafe class LinearWeightGradientStep(LinearWeightGradientOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly CpuOperand? visualRow = binder.Operand(operation.VisualRow);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => LinearWeightGradientKernel.Run(
        gradient.Floats(run), input.Floats(run), gradient.Rows(run), gradient.Columns, input.Columns, operation.Scale, visualRow is { } rows ? rows.Integers(run) : null,
        output.Floats(run), scratch.Address(run), scratch.Bytes, run.Pool);
}

internal sealed unsafe class RowSumStep(RowSumGradientOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly int sums = binder.ShapeOf(operation.Output) is { Rank: > 1 } table ? table[0] : 1;

    public override void Run(in CpuRun run) =>
        RowSumKernel.Run(gradient.Floats(run), gradient.Rows(run), gradient.Columns, operation.Period, sums, output.Floats(run), run.Pool);
}

internal sealed unsafe class NormInputGradientStep(NormInputGradientOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly FloatMatrix weight = binder.Matrix(operation.Weight);
    private readonly CpuOperand? addend = binder.Operand(operation.Addend);
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) => NormGradientKernels.Input(
        gradient.Floats(run), input.Floats(run), weight, operation.Epsilon, operation.Centred, addend is { } added ? added.Floats(run) : null,
        output.Floats(run), input.Rows(run), input.Columns, run.Pool);
}

internal sealed unsafe class NormWeightGradientStep(NormWeightGradientOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => NormGradientKernels.Weight(
        gradient.Floats(run), input.Floats(run), operation.Epsilon, operation.Centred, output.Floats(run), input.Rows(run), input.Columns,
        scratch.Address(run), scratch.Bytes, run.Pool);
}

internal sealed unsafe class ScatterRowsStep(ScatterRowsOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly CpuOperand rows = binder.Operand(operation.Rows);
    private readonly CpuOperand? unless = binder.Operand(operation.Unless);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly bool isCleared = binder.RoleOf(operation.Output) != TensorRole.Gradient;

    public override void Run(in CpuRun run) => ScatterRowsKernel.Run(
        gradient.Floats(run), rows.Integers(run), unless is { } skipped ? skipped.Integers(run) : null, gradient.Rows(run), gradient.Columns,
        output.Floats(run), output.Rows(run), isCleared, run.Pool);
}

internal sealed unsafe class SliceColumnsStep(SliceColumnsOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) =>
        GradientCopies.SliceColumns(input.Floats(run), input.Rows(run), input.Columns, operation.First, output.Floats(run), output.Columns, run.Pool);
}

internal sealed unsafe class SelectPatchesGradientStep(SelectPatchesGradientOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) => GradientCopies.InsertClassTokens(
        gradient.Floats(run), output.Rows(run) / operation.TokensPerImage, operation.TokensPerImage, output.Columns, output.Floats(run), run.Pool);
}

internal sealed unsafe class PatchWeightGradientStep(PatchWeightGradientOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly CpuOperand pixels = binder.Operand(operation.Pixels);
    private readonly int imageSize = binder.ShapeOf(operation.Pixels)[3];
    private readonly int patchSize = binder.ShapeOf(operation.Output)[3];
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => PatchWeightGradientKernel.Run(
        gradient.Floats(run), pixels.Floats(run), pixels.Rows(run), imageSize, patchSize, gradient.Columns, output.Floats(run), scratch.Address(run), scratch.Bytes, run.Pool);
}

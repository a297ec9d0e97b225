using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class EmbedTokensStep(EmbedTokensOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand ids = binder.Operand(operation.Ids);
    private readonly WeightMatrix table = binder.Table(operation.Table);
    private readonly CpuOperand? visual = binder.Operand(operation.Visual);
    private readonly CpuOperand? visualRow = binder.Operand(operation.VisualRow);
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) => EmbedTokensKernel.Run(
        ids.Integers(run),
        table,
        visual is { } rows ? rows.Floats(run) : null,
        visualRow is { } index ? index.Integers(run) : null,
        visual?.Rows(run) ?? 0,
        output.Floats(run),
        ids.Rows(run),
        run.Pool);
}

internal sealed unsafe class PatchEmbeddingStep(PatchEmbeddingOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand pixels = binder.Operand(operation.Pixels);
    private readonly int imageSize = binder.ShapeOf(operation.Pixels)[3];
    private readonly int patchSize = binder.ShapeOf(operation.Weight)[3];
    private readonly FloatMatrix weight = binder.Matrix(operation.Weight);
    private readonly FloatMatrix classToken = binder.Matrix(operation.ClassToken);
    private readonly FloatMatrix positions = binder.Matrix(operation.Positions);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => PatchEmbeddingKernel.Run(
        pixels.Floats(run), pixels.Rows(run), imageSize, patchSize, weight, classToken, positions, output.Floats(run), scratch.Address(run), scratch.Bytes, run.Pool);
}

internal sealed unsafe class SelectPatchesStep(SelectPatchesOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly int tokensPerImage = operation.TokensPerImage;
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) => SelectPatchesKernel.Run(
        input.Floats(run), input.Rows(run) / tokensPerImage, tokensPerImage, input.Columns, output.Floats(run), run.Pool);
}

internal sealed unsafe class SelectRowsStep(SelectRowsOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly CpuOperand rows = binder.Operand(operation.Rows);
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) => SelectRowsKernel.Run(
        input.Floats(run), input.Rows(run), rows.Integers(run), rows.Rows(run), input.Columns, output.Floats(run), run.Pool);
}

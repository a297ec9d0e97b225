using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

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

using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class SelectPatchesStep(SelectPatchesOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly int tokensPerImage = operation.TokensPerImage;
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) => SelectPatchesKernel.Run(
        input.Floats(run), input.Rows(run) / tokensPerImage, tokensPerImage, input.Columns, output.Floats(run), run.Pool);
}

using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class VisionAttentionStep(VisionAttentionOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand query = binder.Operand(operation.Query);
    private readonly CpuOperand key = binder.Operand(operation.Key);
    private readonly CpuOperand value = binder.Operand(operation.Value);
    private readonly int tokensPerImage = operation.TokensPerImage;
    private readonly int heads = operation.Heads;
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => VisionAttentionKernel.Run(
        query.Floats(run),
        key.Floats(run),
        value.Floats(run),
        query.Rows(run) / tokensPerImage,
        tokensPerImage,
        heads,
        query.Columns / heads,
        output.Floats(run),
        scratch.Address(run),
        scratch.Bytes,
        run.Pool);
}

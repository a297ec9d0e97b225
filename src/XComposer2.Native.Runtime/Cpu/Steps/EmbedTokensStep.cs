using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class EmbedTokensStep(EmbedTokensOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand ids = binder.Operand(operation.Ids);
    private readonly FloatMatrix table = binder.Matrix(operation.Table);
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

using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class SelectRowsStep(SelectRowsOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly CpuOperand rows = binder.Operand(operation.Rows);
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) => SelectRowsKernel.Run(
        input.Floats(run), input.Rows(run), rows.Integers(run), rows.Rows(run), input.Columns, output.Floats(run), run.Pool);
}

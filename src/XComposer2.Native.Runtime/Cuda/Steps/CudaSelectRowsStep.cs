using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

internal sealed class CudaSelectRowsStep(SelectRowsOp operation, CudaBinder binder)
    : KernelStep<SelectRows>(new SelectRows(binder.StorageOf(operation.Output), binder.Spec(operation.Input).Shape[1]))
{
    private readonly CudaOperand input = binder.Operand(operation.Input);
    private readonly CudaOperand rows = binder.Operand(operation.Rows);
    private readonly CudaOperand output = binder.Operand(operation.Output);

    public override void Launch(in CudaRun run)
    {
        int count = rows.Rows(run);
        if (count > 0)
            Launch(run, Twin.Geometry(count), new SelectRowsArguments(input.Pointer(run), rows.Pointer(run), output.Pointer(run), (uint)input.Rows(run), (uint)count));
    }
}

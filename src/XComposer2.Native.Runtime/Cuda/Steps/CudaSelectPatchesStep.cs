using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

internal sealed class CudaSelectPatchesStep(SelectPatchesOp operation, CudaBinder binder)
    : KernelStep<SelectPatches>(new SelectPatches(binder.StorageOf(operation.Output), binder.Spec(operation.Input).Shape[1]))
{
    private readonly CudaOperand input = binder.Operand(operation.Input);
    private readonly CudaOperand output = binder.Operand(operation.Output);
    private readonly int patches = operation.TokensPerImage - 1;

    public override void Launch(in CudaRun run)
    {
        int rows = output.Rows(run);
        if (rows > 0)
            Launch(run, Twin.Geometry(rows), new SelectPatchesArguments(input.Pointer(run), output.Pointer(run), (uint)patches, (uint)rows));
    }
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

internal sealed class LoraDownStep(LoraDownOp operation, CudaBinder binder) : KernelStep<LoraDown>(Choose(operation, binder))
{
    private readonly CudaOperand input = binder.Operand(operation.Input);
    private readonly DevicePointer a = binder.Matrix(operation.A);
    private readonly CudaOperand visualRow = binder.Operand(operation.VisualRow);
    private readonly CudaOperand output = binder.Operand(operation.Output);
    private readonly float scale = operation.Scale;

    public override void Launch(in CudaRun run)
    {
        int rows = input.Rows(run);
        if (rows > 0)
            Launch(run, Twin.Geometry(rows), new LoraDownArguments(input.Pointer(run), a, visualRow.Pointer(run), output.Pointer(run), scale, rows));
    }

    private static LoraDown Choose(LoraDownOp operation, CudaBinder binder)
    {
        (int rows, int columns) = binder.SizeOf(operation.A);
        return new LoraDown(binder.Storage, columns, rows, TileChooser.ChooseForLora(binder.Device.Capability, binder.Storage));
    }
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

internal sealed class CudaRmsNormStep(RmsNormOp operation, CudaBinder binder)
    : KernelStep<RmsNorm>(new RmsNorm(binder.Storage, binder.StorageOf(operation.Output), binder.Spec(operation.Input).Shape[1]))
{
    private readonly CudaOperand input = binder.Operand(operation.Input);
    private readonly DevicePointer gain = binder.Weight(operation.Weight);
    private readonly CudaOperand output = binder.Operand(operation.Output);
    private readonly float epsilon = operation.Epsilon;

    public override void Launch(in CudaRun run)
    {
        int rows = input.Rows(run);
        if (rows > 0)
            Launch(run, Twin.Geometry(rows), new RmsNormArguments(input.Pointer(run), gain, output.Pointer(run), epsilon, (uint)rows));
    }
}

internal sealed class CudaLayerNormStep(LayerNormOp operation, CudaBinder binder)
    : KernelStep<LayerNorm>(new LayerNorm(binder.Storage, binder.StorageOf(operation.Output), binder.Spec(operation.Input).Shape[1]))
{
    private readonly CudaOperand input = binder.Operand(operation.Input);
    private readonly DevicePointer gain = binder.Weight(operation.Weight);
    private readonly DevicePointer bias = binder.Weight(operation.Bias);
    private readonly CudaOperand output = binder.Operand(operation.Output);
    private readonly float epsilon = operation.Epsilon;

    public override void Launch(in CudaRun run)
    {
        int rows = input.Rows(run);
        if (rows > 0)
            Launch(run, Twin.Geometry(rows), new LayerNormArguments(input.Pointer(run), gain, bias, output.Pointer(run), epsilon, (uint)rows));
    }
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

internal sealed class CudaPatchEmbeddingStep(PatchEmbeddingOp operation, CudaBinder binder)
    : KernelStep<PatchEmbedding>(new PatchEmbedding(
        binder.Storage, binder.Spec(operation.Pixels).Shape[3], binder.Spec(operation.Weight).Shape[3], binder.Spec(operation.Weight).Shape[0]))
{
    private readonly CudaOperand pixels = binder.Operand(operation.Pixels);
    private readonly DevicePointer weight = binder.Weight(operation.Weight);
    private readonly DevicePointer classToken = binder.FloatWeight(operation.ClassToken);
    private readonly DevicePointer positions = binder.FloatWeight(operation.Positions);
    private readonly CudaOperand output = binder.Operand(operation.Output);

    public override void Launch(in CudaRun run)
    {
        int images = pixels.Rows(run);
        if (images > 0)
            Launch(run, Twin.Geometry(images), new PatchEmbeddingArguments(pixels.Pointer(run), weight, classToken, positions, output.Pointer(run), (uint)images));
    }
}

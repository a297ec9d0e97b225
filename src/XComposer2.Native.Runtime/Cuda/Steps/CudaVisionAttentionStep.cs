using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

internal sealed class CudaVisionAttentionStep(VisionAttentionOp operation, CudaBinder binder)
    : KernelStep<VisionAttention>(Twin(operation, binder))
{
    private readonly CudaOperand query = binder.Operand(operation.Query);
    private readonly CudaOperand key = binder.Operand(operation.Key);
    private readonly CudaOperand value = binder.Operand(operation.Value);
    private readonly CudaOperand output = binder.Operand(operation.Output);
    private readonly int tokensPerImage = operation.TokensPerImage;

    public override void Launch(in CudaRun run)
    {
        int images = query.Rows(run) / tokensPerImage;
        if (images > 0)
            Launch(run, base.Twin.Geometry(images, tokensPerImage), base.Twin.Bind(
                query.Pointer(run), key.Pointer(run), value.Pointer(run), output.Pointer(run), tokensPerImage));
    }

    private static new VisionAttention Twin(VisionAttentionOp operation, CudaBinder binder)
    {
        int width = binder.Spec(operation.Query).Shape[1];
        int headSize = width / operation.Heads;
        return new VisionAttention(binder.Storage, operation.Heads, headSize, width, FlashTile.ChooseKeys(binder.Device.Capability, headSize));
    }
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

internal sealed class PrefillAttentionStep(PagedAttentionOp operation, CudaBinder binder)
    : KernelStep<PrefillAttention>(new PrefillAttention(binder.Storage, operation.Geometry, FlashTile.ChooseKeys(binder.Device.Capability, operation.Geometry.HeadSize)))
{
    private readonly CudaOperand query = binder.Operand(operation.Query);
    private readonly CudaOperand output = binder.Operand(operation.Output);
    private readonly CudaCacheLayer layer = binder.Layer(operation.Layer, operation.Geometry);
    private readonly CudaSequences sequences = binder.Sequences;

    public override void Launch(in CudaRun run)
    {
        int rows = query.Rows(run);
        if (rows == 0 || run.Sequences == 0)
            return;
        Launch(run, Twin.Geometry(rows, run.Sequences), Twin.Bind(
            query.Pointer(run), output.Pointer(run), layer.Start, layer.PageBytes, sequences.Spans, sequences.PageTable, run.Sequences));
    }
}

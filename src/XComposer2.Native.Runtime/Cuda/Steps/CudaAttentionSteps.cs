using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Grids are made for the longest sequence that there may be, so that a captured launch serves every length, and sums are the same in every graph.</summary>
internal sealed class DecodeAttentionStep : KernelStep<DecodeAttention>
{
    private readonly CudaOperand query;
    private readonly CudaOperand output;
    private readonly CudaCacheLayer layer;
    private readonly CudaSequences sequences;
    private readonly int runs;
    private readonly DecodeAttentionScratch scratch;
    private readonly DeviceSpan scratchMemory;

    public DecodeAttentionStep(PagedAttentionOp operation, CudaBinder binder)
        : base(new DecodeAttention(binder.Storage, operation.Geometry))
    {
        query = binder.Operand(operation.Query);
        output = binder.Operand(operation.Output);
        layer = binder.Layer(operation.Layer, operation.Geometry);
        sequences = binder.Sequences;
        runs = Twin.ChooseRuns(binder.Device.MultiprocessorCount, 1, binder.Limits.PagesPerSequence);
        scratch = Twin.Scratch(sequences.MaximumSequences, runs);
        scratchMemory = binder.SharedScratch(nameof(DecodeAttention), scratch.TotalBytes);
    }

    public override void Launch(in CudaRun run)
    {
        if (run.Sequences == 0)
            return;
        Launch(run, Twin.Geometry(run.Sequences, runs), Twin.Bind(
            query.Pointer(run), output.Pointer(run), layer.Start, layer.PageBytes, sequences.Spans, sequences.PageTable, scratch, scratchMemory));
    }
}

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

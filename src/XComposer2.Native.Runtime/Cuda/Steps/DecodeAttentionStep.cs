using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Grids are made for the longest sequence that the cache can hold, so that a captured launch serves every length.</summary>
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
        runs = Twin.ChooseRuns(binder.Device.MultiprocessorCount, 1, layer.PageCount);
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

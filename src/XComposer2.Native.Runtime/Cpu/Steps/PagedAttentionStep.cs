using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class PagedAttentionStep(PagedAttentionOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand query = binder.Operand(operation.Query);
    private readonly AttentionGeometry geometry = operation.Geometry;
    private readonly KvLayerView cache = binder.Layer(operation.Layer, operation.Geometry);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => PagedAttentionKernel.Run(
        query.Floats(run), geometry, cache, run.Spans, run.SpanCount, query.Rows(run), output.Floats(run), scratch.Address(run), scratch.Bytes, run.Pool);
}

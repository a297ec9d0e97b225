using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class RopeKvAppendStep(RopeKvAppendOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand packed = binder.Operand(operation.Packed);
    private readonly AttentionGeometry geometry = operation.Geometry;
    private readonly KvLayerView cache = binder.Layer(operation.Layer, operation.Geometry);
    private readonly RopeTable table = binder.Rope(operation.Geometry, operation.RopeTheta);
    private readonly CpuOperand queries = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) => RopeKvAppendKernel.Run(
        packed.Floats(run), geometry, table, cache, run.Spans, run.SpanCount, packed.Rows(run), queries.Floats(run), run.Pool);
}

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

internal sealed unsafe class VisionAttentionStep(VisionAttentionOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand query = binder.Operand(operation.Query);
    private readonly CpuOperand key = binder.Operand(operation.Key);
    private readonly CpuOperand value = binder.Operand(operation.Value);
    private readonly int tokensPerImage = operation.TokensPerImage;
    private readonly int heads = operation.Heads;
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => VisionAttentionKernel.Run(
        query.Floats(run),
        key.Floats(run),
        value.Floats(run),
        query.Rows(run) / tokensPerImage,
        tokensPerImage,
        heads,
        query.Columns / heads,
        output.Floats(run),
        scratch.Address(run),
        scratch.Bytes,
        run.Pool);
}

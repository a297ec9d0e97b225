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

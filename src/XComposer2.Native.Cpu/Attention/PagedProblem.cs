using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Operands of one paged attention. Owns nothing.</summary>
internal readonly unsafe struct PagedProblem(
    float* query, float* output, AttentionGeometry geometry, KvLayerView cache, SequenceSpan* spans, int spanCount)
{
    public readonly float* Query = query;
    public readonly float* Output = output;
    public readonly AttentionGeometry Geometry = geometry;
    public readonly KvLayerView Cache = cache;
    public readonly SequenceSpan* Spans = spans;
    public readonly int SpanCount = spanCount;
}

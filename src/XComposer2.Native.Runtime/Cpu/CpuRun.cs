using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>What the steps of one run have in common.</summary>
internal readonly unsafe struct CpuRun(byte* arena, RowCounts counts, SequenceSpan* spans, int spanCount, WorkerPool pool)
{
    public readonly byte* Arena = arena;
    public readonly RowCounts Counts = counts;
    public readonly SequenceSpan* Spans = spans;
    public readonly int SpanCount = spanCount;
    public readonly WorkerPool Pool = pool;
}

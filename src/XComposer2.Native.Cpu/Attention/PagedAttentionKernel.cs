using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Causal softmax attention with grouped queries: each row attends to its own sequence in the paged cache. Several rows of a sequence (prefill)
/// run as <see cref="AttentionTile"/>s over (row, query head of the group) pairs, so that a group shares its keys and values. A single row
/// (decode) is split over key/value heads and ranges of keys, and the partial results are combined. Both splits depend on lengths only, so
/// results are independent of the thread count and of other sequences in the step.
/// </summary>
public static unsafe class PagedAttentionKernel
{
    /// <summary>Scratch size of <see cref="Run"/> for up to <paramref name="sequences"/> sequences of any length.</summary>
    public static long ScratchBytes(AttentionGeometry geometry, int sequences, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sequences);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        return checked(
            ScratchCursor.BytesFor(sequences + 1L)
            + ScratchCursor.BytesFor(sequences * PartialAttention.Floats(geometry))
            + ScratchCursor.BytesFor(threads * (long)WorkerFloats(geometry)));
    }

    /// <param name="query">[rows, q x d], rotated.</param>
    /// <param name="geometry">Head layout; the head size is a multiple of 8.</param>
    /// <param name="cache">The layer's part of the cache, including the keys and values of this step.</param>
    /// <param name="spans">[spanCount].</param>
    /// <param name="spanCount">Number of sequences in the step.</param>
    /// <param name="rows">Rows of the step; rows outside all spans are not written.</param>
    /// <param name="output">[rows, q x d]; may not overlap <paramref name="query"/>.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Run(
        float* query, AttentionGeometry geometry, KvLayerView cache, SequenceSpan* spans, int spanCount, int rows, float* output,
        void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        AttentionGuards.RequireGeometry(geometry, cache);
        SequenceSpan.Require(spans, spanCount, rows, cache);
        if (spanCount == 0)
            return;
        var problem = new PagedProblem(query, output, geometry, cache, spans, spanCount);
        switch (width.Resolve(geometry.HeadSize))
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(problem, scratch, scratchBytes, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(problem, scratch, scratchBytes, pool); break;
            default: Run<Simd128, Vector128<float>>(problem, scratch, scratchBytes, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(in PagedProblem problem, void* scratch, long scratchBytes, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        switch (problem.Cache.Format.Elements)
        {
            case DType.BF16: Run<TSimd, TVector, BFloat16Element>(problem, scratch, scratchBytes, pool); break;
            case DType.F16: Run<TSimd, TVector, HalfElement>(problem, scratch, scratchBytes, pool); break;
            case DType.I8: Run<TSimd, TVector, Int8Element>(problem, scratch, scratchBytes, pool); break;
            default: Run<TSimd, TVector, SingleElement>(problem, scratch, scratchBytes, pool); break;
        }
    }

    private static void Run<TSimd, TVector, TElement>(in PagedProblem problem, void* scratch, long scratchBytes, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        var cursor = new ScratchCursor(scratch, scratchBytes);
        int* firstTasks = (int*)cursor.Floats(problem.SpanCount + 1L);
        float* partials = cursor.Floats(problem.SpanCount * PartialAttention.Floats(problem.Geometry));
        int workerFloats = WorkerFloats(problem.Geometry);
        float* memory = cursor.Floats(pool.Threads * (long)workerFloats);

        int tasks = 0;
        bool anySplit = false;
        for (int span = 0; span < problem.SpanCount; span++)
        {
            firstTasks[span] = tasks;
            SequenceSpan sequence = problem.Spans[span];
            if (sequence.RowCount == 0)
                continue;
            int pieces = sequence.RowCount == 1
                ? PartialAttention.Splits(sequence.Length)
                : PrefillAttention.Blocks<TSimd, TVector>(sequence.RowCount, problem.Geometry.GroupSize);
            anySplit |= sequence.RowCount == 1 && pieces > 1;
            tasks = checked(tasks + (pieces * problem.Geometry.KeyValueHeads));
        }

        firstTasks[problem.SpanCount] = tasks;
        var attend = new Attend<TSimd, TVector, TElement>(problem, firstTasks, partials, memory, workerFloats);
        pool.Run(tasks, ref attend);
        if (anySplit)
        {
            var combine = new Combine<TSimd, TVector>(problem, partials);
            pool.Run(problem.SpanCount, ref combine);
        }
    }

    // Rounded up to 16 floats, so that workers do not share cache lines.
    private static int WorkerFloats(AttentionGeometry geometry) =>
        (Math.Max(PrefillAttention.WorkerFloats(geometry.HeadSize), DecodeAttention.WorkerFloats(geometry)) + 15) & ~15;

    private readonly struct Attend<TSimd, TVector, TElement>(
        PagedProblem problem, int* firstTasks, float* partials, float* memory, int workerFloats) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, ICachedElement
    {
        public void Run(int task, int worker)
        {
            int span = 0;
            while (task >= firstTasks[span + 1])
                span++;
            int local = task - firstTasks[span];
            int piece = local / problem.Geometry.KeyValueHeads;
            int head = local % problem.Geometry.KeyValueHeads;
            float* scratch = memory + ((long)worker * workerFloats);
            if (problem.Spans[span].RowCount == 1)
                DecodeAttention.Run<TSimd, TVector, TElement>(problem, span, head, piece, partials, scratch);
            else
                PrefillAttention.Run<TSimd, TVector, TElement>(problem, span, head, piece, scratch);
        }
    }

    private readonly struct Combine<TSimd, TVector>(PagedProblem problem, float* partials) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            SequenceSpan sequence = problem.Spans[task];
            int splits = PartialAttention.Splits(sequence.Length);
            if (sequence.RowCount != 1 || splits == 1)
                return;
            for (int head = 0; head < problem.Geometry.QueryHeads; head++)
                PartialAttention.Combine<TSimd, TVector>(
                    partials, problem.Geometry, task, head, splits,
                    problem.Output + ((nint)sequence.FirstRow * problem.Geometry.QueryColumns) + (head * problem.Geometry.HeadSize));
        }
    }
}

/// <summary>Operands of a paged attention. Owns nothing.</summary>
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

internal static class AttentionGuards
{
    public static void RequireHeadSize(int headSize)
    {
        if (headSize is < 8 or > 1024 || headSize % 8 != 0)
            throw new ArgumentOutOfRangeException(nameof(headSize), headSize, "expected a multiple of 8 up to 1024");
    }

    /// <summary>Throws if the cache layout does not match the layer.</summary>
    public static void RequireGeometry(AttentionGeometry geometry, in KvLayerView cache)
    {
        RequireHeadSize(geometry.HeadSize);
        if (geometry.KeyValueHeads < 1 || geometry.QueryHeads < 1 || geometry.QueryHeads % geometry.KeyValueHeads != 0)
            throw new ArgumentException($"expected the query heads to be a multiple of the key/value heads, found {geometry}", nameof(geometry));
        if (cache.KeyValueHeads != geometry.KeyValueHeads || cache.HeadSize != geometry.HeadSize)
            throw new ArgumentException(
                $"the cache holds {cache.KeyValueHeads} heads of {cache.HeadSize}, the layer has {geometry.KeyValueHeads} of {geometry.HeadSize}", nameof(cache));
    }
}

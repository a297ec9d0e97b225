using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Attention, over the cache and within a picture.</summary>
internal static class AttentionCases
{
    /// <summary>The rows of each step at the beginning of a sequence, and at the end of the longest.</summary>
    public static IEnumerable<KernelCase> Of(PrefillAttention kernel, CaseContext context) =>
        from rows in context.Counts.PrefillSteps.Select(step => step.Rows).Distinct()
        from length in (int[])[rows, context.Counts.LongestContext]
        select Prefill(kernel, rows, length);

    public static IEnumerable<KernelCase> Of(DecodeAttention kernel, CaseContext context) =>
        from sequences in context.Counts.DecodeRows
        from length in context.Counts.Contexts
        select Decode(kernel, sequences, length, context);

    public static IEnumerable<KernelCase> Of(RopeKvAppend kernel, CaseContext context) =>
        from rows in context.Counts.DecodeRows
        select Append(kernel, rows, context.Counts.LongestContext);

    public static IEnumerable<KernelCase> Of(VisionAttention kernel, CaseContext context)
    {
        int tokens = context.Patches + 1;
        CaseMemory memory = new();
        long queries = memory.Values(kernel.Storage, (long)tokens * kernel.InputStride);
        long keys = memory.Values(kernel.Storage, (long)tokens * kernel.InputStride);
        long values = memory.Values(kernel.Storage, (long)tokens * kernel.InputStride);
        long outputs = memory.Result((long)tokens * kernel.Heads * kernel.HeadSize * kernel.Storage.ElementBytes());
        yield return KernelCase.Create(
            FormattableString.Invariant($"{kernel.Heads} heads of {kernel.HeadSize}, {tokens} tokens"),
            kernel, kernel.Geometry(images: 1, tokens), kernel.Cost(images: 1, tokens), memory,
            start => kernel.Arguments(start + queries, start + keys, start + values, start + outputs, tokens));
    }

    private static KernelCase Append(RopeKvAppend kernel, int rows, int length)
    {
        SequenceSpan[] spans = CacheOperands.Decoding(rows, length);
        CaseMemory memory = new();
        CacheOperands cache = new(memory, kernel.Heads, kernel.Storage, spans, hasIntegers: true);
        long packed = memory.Values(DType.F32, (long)rows * kernel.Heads.PackedColumns);
        long queries = memory.Result((long)rows * kernel.Heads.QueryColumns * kernel.Storage.ElementBytes());
        return KernelCase.Create(
            FormattableString.Invariant($"{kernel.Heads.QueryHeads}/{kernel.Heads.KeyValueHeads} heads of {kernel.Heads.HeadSize}, {CaseContext.Count(rows, "row")}"),
            kernel, kernel.Geometry(rows), kernel.Cost(rows), memory,
            start => new RopeKvAppendArguments(
                start + packed, start + queries, cache.RopeTable(start), cache.Pages(start), cache.PageBytes, cache.SpanTable(start), cache.PageTable(start), rows, spans.Length));
    }

    private static KernelCase Prefill(PrefillAttention kernel, int rows, int length)
    {
        SequenceSpan[] spans = CacheOperands.Prefilling(rows, length);
        CaseMemory memory = new();
        CacheOperands cache = new(memory, kernel.Heads, kernel.Storage, spans, kernel.HasInt8Cache);
        long queries = memory.Values(kernel.Storage, (long)rows * kernel.Heads.QueryColumns);
        long outputs = memory.Result((long)rows * kernel.Heads.QueryColumns * kernel.Storage.ElementBytes());
        return KernelCase.Create(
            FormattableString.Invariant($"{kernel.Heads.QueryHeads}/{kernel.Heads.KeyValueHeads} heads of {kernel.Heads.HeadSize}, {rows} rows up to {length}{Cache(kernel.HasInt8Cache)}"),
            kernel, kernel.Geometry(rows, spans.Length), kernel.Cost(spans), memory,
            start => kernel.Arguments(start + queries, start + outputs, cache.Pages(start), cache.PageBytes, cache.SpanTable(start), cache.PageTable(start), spans.Length));
    }

    private static KernelCase Decode(DecodeAttention kernel, int sequences, int length, CaseContext context)
    {
        SequenceSpan[] spans = CacheOperands.Decoding(sequences, length);
        // As the engine does, whose grid is made for one sequence of the longest length.
        int runs = kernel.ChooseRuns(context.Device.Multiprocessors, 1, spans[0].PageCount);
        DecodeAttentionScratch scratch = kernel.Scratch(sequences, runs);
        CaseMemory memory = new();
        CacheOperands cache = new(memory, kernel.Heads, kernel.Storage, spans, kernel.HasInt8Cache);
        long queries = memory.Values(kernel.Storage, (long)sequences * kernel.Heads.QueryColumns);
        long outputs = memory.Result((long)sequences * kernel.Heads.QueryColumns * kernel.Storage.ElementBytes());
        long scratchMemory = memory.Zeros(scratch.TotalBytes);
        return KernelCase.Create(
            FormattableString.Invariant(
                $"{kernel.Heads.QueryHeads}/{kernel.Heads.KeyValueHeads} heads of {kernel.Heads.HeadSize}, {CaseContext.Count(sequences, "sequence")} of {length}{Cache(kernel.HasInt8Cache)}"),
            kernel, kernel.Geometry(sequences, runs), kernel.Cost(spans), memory,
            start => kernel.Arguments(
                start + queries, start + outputs, cache.Pages(start), cache.PageBytes, cache.SpanTable(start), cache.PageTable(start),
                scratch, new DeviceSpan(start + scratchMemory, scratch.TotalBytes)));
    }

    private static string Cache(bool hasIntegers) => hasIntegers ? ", int8 cache" : "";
}

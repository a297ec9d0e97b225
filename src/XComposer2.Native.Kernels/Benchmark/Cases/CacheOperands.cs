using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>One layer of a key/value cache and the sequences in it, as operands.</summary>
internal sealed class CacheOperands
{
    private readonly long pages;
    private readonly long spans;
    private readonly long pageTable;
    private readonly long ropeTable;

    /// <param name="memory">Where they go.</param>
    /// <param name="heads">Of the layer.</param>
    /// <param name="storage">Of keys and values.</param>
    /// <param name="spans">The step's sequences, whose pages are made one after the other.</param>
    /// <param name="hasIntegers">Keys and values are int8, with scales that are any numbers.</param>
    public CacheOperands(CaseMemory memory, AttentionGeometry heads, DType storage, IReadOnlyList<SequenceSpan> spans, bool hasIntegers = false)
    {
        Spans = spans;
        CacheFormat format = hasIntegers ? CacheFormat.Int8 : CacheFormat.Of(storage);
        PageBytes = 2L * SequenceSpan.PageTokens * heads.KeyValueHeads * format.HeadBytes(heads.HeadSize);
        int pageCount = spans.Max(span => span.FirstPage + span.PageCount), positions = spans.Max(span => span.Length);
        pages = hasIntegers ? memory.Zeros(pageCount * PageBytes) : memory.Values(storage, pageCount * PageBytes / storage.ElementBytes());
        this.spans = memory.Given<SequenceSpan>([.. spans]);
        pageTable = memory.Given<int>([.. Enumerable.Range(0, pageCount)]);
        ropeTable = memory.Values(DType.F32, (long)positions * heads.HeadSize);
    }

    public IReadOnlyList<SequenceSpan> Spans { get; }

    public long PageBytes { get; }

    /// <summary>One row of each of so many sequences, the last one of a context.</summary>
    public static SequenceSpan[] Decoding(int sequences, int context)
    {
        int pages = (context + SequenceSpan.PageTokens - 1) / SequenceSpan.PageTokens;
        return [.. Enumerable.Range(0, sequences).Select(index => new SequenceSpan(index, 1, context - 1, index * pages))];
    }

    /// <summary>Rows of one sequence, up to the end of a context.</summary>
    public static SequenceSpan[] Prefilling(int rows, int context) => [new SequenceSpan(0, rows, context - rows, 0)];

    public DevicePointer Pages(DevicePointer start) => start + pages;

    public DevicePointer SpanTable(DevicePointer start) => start + spans;

    public DevicePointer PageTable(DevicePointer start) => start + pageTable;

    /// <summary>Cosine and sine of every position.</summary>
    public DevicePointer RopeTable(DevicePointer start) => start + ropeTable;
}

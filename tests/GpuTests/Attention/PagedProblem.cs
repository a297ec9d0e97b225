using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>Queries of a step and a cache of two layers on the device; attention uses the second layer. Pages are shuffled, and unwritten memory is NaN.
/// The rows of the sequences are separated by rows that belong to no sequence.</summary>
internal sealed class PagedProblem : IDisposable
{
    private const int Layers = 2, Layer = 1, Page = SequenceSpan.PageTokens;

    private readonly AttentionGeometry heads;
    private readonly DType storage;
    private readonly float[] queries;
    private readonly float[] cache;
    private readonly byte[]? integers;
    private readonly int[] pageTable;
    private readonly DeviceFloats deviceQueries;
    private readonly DeviceFloats deviceCache;
    private readonly DeviceFloats deviceOutputs;
    private readonly DeviceArray<SequenceSpan> deviceSpans;
    private readonly DeviceArray<int> devicePageTable;

    /// <param name="device">The device.</param>
    /// <param name="storage">Type of queries, outputs and, mostly, cache.</param>
    /// <param name="heads">Head layout.</param>
    /// <param name="sequences">Sequences in row order.</param>
    /// <param name="seed">Seed of all values.</param>
    /// <param name="hiddenKeys">Number of leading keys of every sequence with a score of -infinity.</param>
    /// <param name="hasInt8Cache">The cache holds integers with scales.</param>
    public PagedProblem(GpuDevice device, DType storage, AttentionGeometry heads, IReadOnlyList<PagedSequence> sequences, int seed = 1, int hiddenKeys = 0, bool hasInt8Cache = false)
    {
        this.storage = storage;
        this.heads = heads;
        Spans = new SequenceSpan[sequences.Count];
        int row = 1, page = 0;
        for (int i = 0; i < sequences.Count; i++)
        {
            Spans[i] = new SequenceSpan(row, sequences[i].RowCount, sequences[i].PastLength, page);
            row += sequences[i].RowCount + 1;
            page += sequences[i].PageCount;
        }
        Rows = row;
        pageTable = Shuffle(page, seed);
        queries = StoredFloats.Random(Rows * heads.QueryColumns, seed + 1, storage, 1.5);
        if (hasInt8Cache)
        {
            integers = new byte[(page + 1) * Layers * IntegerLayerBytes];
            Array.Fill(integers, (byte)0xFF);
        }

        cache = FillCache(page + 1, seed + 2);
        HideKeys(hiddenKeys);
        deviceQueries = device.Upload(queries, storage);
        deviceCache = integers is null ? device.Upload(cache, storage) : new DeviceFloats(device.Upload(integers), storage);
        deviceOutputs = device.Allocate(queries.Length, storage);
        deviceSpans = device.Upload(Spans);
        devicePageTable = device.Upload(pageTable);
    }

    public SequenceSpan[] Spans { get; }

    public int Rows { get; }

    public int MostPages => Spans.Max(span => span.PageCount);

    public DevicePointer Queries => new(deviceQueries.Address);

    public DevicePointer Outputs => new(deviceOutputs.Address);

    public DevicePointer LayerStart => new DevicePointer(deviceCache.Address) + (Layer * LayerBytes);

    public long PageBytes => Layers * LayerBytes;

    public DevicePointer SpanStart => new(deviceSpans.Address);

    public DevicePointer PageTableStart => new(devicePageTable.Address);

    private long LayerBytes => integers is null ? LayerElements * storage.ElementBytes() : IntegerLayerBytes;

    private int IntegerHeadBytes => Page * (heads.HeadSize + sizeof(float));

    private int IntegerLayerBytes => 2 * heads.KeyValueHeads * IntegerHeadBytes;

    private int LayerElements => 2 * heads.KeyValueHeads * Page * heads.HeadSize;

    /// <summary>Changes the sequences in the same cache, up to the lengths of its construction.</summary>
    public void Replace(GpuDevice device, params ReadOnlySpan<SequenceSpan> spans)
    {
        spans.CopyTo(Spans);
        device.Stream.CopyToDevice<SequenceSpan>(new DeviceSpan(SpanStart, Spans.Length * (long)Unsafe.SizeOf<SequenceSpan>()), Spans);
    }

    public float[] Download() => deviceOutputs.Download();

    /// <summary>Compares all rows of sequences and requires all other rows to be unwritten.</summary>
    public void Check()
    {
        float[] outputs = Download();
        AttentionReference reference = new(heads.HeadSize, storage);
        List<float> actual = [];
        int checkedTo = 0;
        foreach (SequenceSpan span in Spans)
        {
            RequireUntouched(outputs, checkedTo, span.FirstRow);
            checkedTo = span.FirstRow + span.RowCount;
            for (int row = 0; row < span.RowCount; row++)
                for (int head = 0; head < heads.QueryHeads; head++)
                {
                    int keyHead = head / heads.GroupSize, start = ((span.FirstRow + row) * heads.QueryColumns) + (head * heads.HeadSize);
                    reference.Add(
                        queries.AsSpan(start, heads.HeadSize), span.PastLength + row + 1,
                        key => new ArraySegment<float>(cache, Slot(span, key, keyHead, false), heads.HeadSize),
                        key => new ArraySegment<float>(cache, Slot(span, key, keyHead, true), heads.HeadSize));
                    actual.AddRange(outputs.AsSpan(start, heads.HeadSize));
                }
        }
        RequireUntouched(outputs, checkedTo, Rows);
        Accuracy.Within(reference.Expected, reference.Bounds, actual.ToArray(), "output");
    }

    public void Dispose()
    {
        deviceQueries.Dispose();
        deviceCache.Dispose();
        deviceOutputs.Dispose();
        deviceSpans.Dispose();
        devicePageTable.Dispose();
    }

    private void RequireUntouched(float[] outputs, int firstRow, int endRow)
    {
        for (int i = firstRow * heads.QueryColumns; i < endRow * heads.QueryColumns; i++)
            Xunit.Assert.True(float.IsNaN(outputs[i]), $"element {i} of a row outside all sequences was written");
    }

    private void HideKeys(int count)
    {
        if (count == 0) return;
        for (int i = 0; i < queries.Length; i += heads.HeadSize)
            queries[i] = 1;
        foreach (SequenceSpan span in Spans)
            for (int head = 0; head < heads.KeyValueHeads; head++)
                for (int key = 0; key < count; key++)
                    cache[Slot(span, key, head, false)] = float.NegativeInfinity;
    }

    private float[] FillCache(int pages, int seed)
    {
        float[] values = new float[pages * Layers * LayerElements];
        Array.Fill(values, float.NaN);
        foreach (SequenceSpan span in Spans)
            for (int head = 0; head < heads.KeyValueHeads; head++)
                for (int key = 0; key < span.Length; key++)
                {
                    Store(values, span, key, head, false, StoredFloats.Random(heads.HeadSize, seed++, storage, 1.5));
                    Store(values, span, key, head, true, StoredFloats.Random(heads.HeadSize, seed++, storage));
                }
        return values;
    }

    // In an int8 cache the numbers are those of the integers, rounded once to the storage type.
    private void Store(float[] values, SequenceSpan span, int key, int head, bool isValue, float[] row)
    {
        if (integers is not null)
        {
            float scale = row.Max(MathF.Abs) / 127;
            int page = pageTable[span.FirstPage + (key / Page)], token = key % Page;
            Span<byte> plane = integers.AsSpan((((page * Layers) + Layer) * IntegerLayerBytes) + (((isValue ? heads.KeyValueHeads : 0) + head) * IntegerHeadBytes), IntegerHeadBytes);
            BitConverter.TryWriteBytes(plane[((Page * heads.HeadSize) + (token * sizeof(float)))..], scale);
            for (int i = 0; i < row.Length; i++)
            {
                int integer = (int)MathF.Round(row[i] / scale);
                plane[(token * heads.HeadSize) + i] = unchecked((byte)(sbyte)integer);
                row[i] = StoredFloats.Round(integer * scale, storage);
            }
        }

        row.CopyTo(values, Slot(span, key, head, isValue));
    }

    // Index of the first element of a key or value in the cache.
    private int Slot(SequenceSpan span, int position, int head, bool isValue)
    {
        int page = pageTable[span.FirstPage + (position / Page)];
        int row = ((((isValue ? heads.KeyValueHeads : 0) + head) * Page) + (position % Page)) * heads.HeadSize;
        return (((page * Layers) + Layer) * LayerElements) + row;
    }

    // One physical page more than entries, so that one number is unused.
    private static int[] Shuffle(int pages, int seed)
    {
        int[] numbers = [.. Enumerable.Range(0, pages + 1)];
        new Random(seed).Shuffle(numbers);
        return numbers[..pages];
    }
}

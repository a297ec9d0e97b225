using System.Runtime.InteropServices;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>A paged cache of two layers with sequences that grow step by step. Unwritten memory is NaN.</summary>
internal sealed unsafe class PagedSteps : IDisposable
{
    public const float Theta = 10000f;

    private const int Layer = 1;

    private readonly AttentionGeometry geometry;
    private readonly CacheFormat format;
    private readonly byte* pages;
    private readonly int* table;
    private readonly int pageCount;
    private readonly int pagesPerSequence;
    private readonly long pageBytes;
    private readonly RopeTable rope;

    /// <param name="geometry">Head layout.</param>
    /// <param name="sequences">Capacity in sequences.</param>
    /// <param name="context">Tokens per sequence.</param>
    /// <param name="shuffleSeed">Seed of the physical page order; null for ascending order.</param>
    /// <param name="format">Format of the cache.</param>
    public PagedSteps(AttentionGeometry geometry, int sequences, int context, int? shuffleSeed, CacheFormat format = default)
    {
        this.geometry = geometry;
        this.format = format;
        pagesPerSequence = (context + KvLayerView.PageTokens - 1) / KvLayerView.PageTokens;
        pageCount = sequences * pagesPerSequence;
        pageBytes = (2 * KvLayerView.LayerBytes(geometry.KeyValueHeads, geometry.HeadSize, format)) + 64;
        pages = (byte*)NativeMemory.AlignedAlloc((nuint)(pageBytes * pageCount), 64);
        new Span<byte>(pages, checked((int)(pageBytes * pageCount))).Fill(0xFF);
        int[] order = [.. Enumerable.Range(0, pageCount)];
        if (shuffleSeed is { } seed)
            new Random(seed).Shuffle(order);
        table = (int*)NativeMemory.Alloc((nuint)pageCount, sizeof(int));
        order.CopyTo(new Span<int>(table, pageCount));
        rope = new RopeTable(context, geometry.HeadSize, Theta);
    }

    /// <summary>Runs one layer of one step. <paramref name="packed"/> contains the rows of each sequence in turn.</summary>
    /// <returns>Attention output [rows, q x d].</returns>
    public float[] Step(ReadOnlySpan<float> packed, (int Sequence, int Past, int Rows)[] step, int threads = 1, int width = 0)
    {
        int rows = step.Sum(sequence => sequence.Rows);
        using var pool = new WorkerPool(threads);
        using var input = new NativeFloats(rows * geometry.PackedColumns, "packed");
        using var queries = new NativeFloats(rows * geometry.QueryColumns, "queries");
        using var output = new NativeFloats(rows * geometry.QueryColumns, "output");
        packed.CopyTo(input.Span);
        Assert.Equal(packed.Length, rows * geometry.PackedColumns);
        SequenceSpan* spans = stackalloc SequenceSpan[step.Length];
        int row = 0;
        for (int i = 0; i < step.Length; i++)
        {
            spans[i] = new SequenceSpan(row, step[i].Rows, step[i].Past, table + (step[i].Sequence * pagesPerSequence));
            row += step[i].Rows;
        }

        var view = new KvLayerView((nint)pages, pageBytes, pageCount, Layer, geometry.KeyValueHeads, geometry.HeadSize, format);
        long scratchBytes = PagedAttentionKernel.ScratchBytes(geometry, step.Length, threads);
        using var scratch = new NativeFloats((int)(scratchBytes / 4), "scratch");
        RopeKvAppendKernel.Run(input.Pointer, geometry, rope, view, spans, step.Length, rows, queries.Pointer, pool, (VectorWidth)width);
        PagedAttentionKernel.Run(
            queries.Pointer, geometry, view, spans, step.Length, rows, output.Pointer, scratch.Pointer, scratchBytes, pool, (VectorWidth)width);
        return output.Span.ToArray();
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(pages);
        NativeMemory.Free(table);
    }
}

using BenchmarkDotNet.Attributes;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.HostBench;

/// <summary>Attention of one 7B layer: one token and a prefill against a paged cache, and one picture in the vision tower.</summary>
[InProcess]
[WarmupCount(3)]
[IterationCount(10)]
[MemoryDiagnoser]
public unsafe class AttentionBenchmarks : IDisposable
{
    private const int Tokens = 2048;

    private const int PageCount = Tokens / KvLayerView.PageTokens;

    private static readonly AttentionGeometry Geometry = new(32, 8, 128);

    private readonly WorkerPool pool = new(Environment.ProcessorCount);

    private readonly NativeBuffer rows = NativeBuffer.Random(1226L * 4096 * sizeof(float), sixteenBit: false);

    private readonly NativeBuffer output = new(1226L * 4096 * sizeof(float));

    private readonly NativeBuffer pages = NativeBuffer.Random(PageCount * KvLayerView.LayerBytes(8, 128, CacheFormat.BF16), sixteenBit: true);

    private readonly NativeBuffer pageTable = new(PageCount * sizeof(int));

    private readonly NativeBuffer scratch = new(Math.Max(
        PagedAttentionKernel.ScratchBytes(Geometry, 1, Environment.ProcessorCount), VisionAttentionKernel.ScratchBytes(64, Environment.ProcessorCount)));

    public AttentionBenchmarks()
    {
        for (int page = 0; page < PageCount; page++)
            ((int*)pageTable.Data)[page] = page;
    }

    [Benchmark]
    public void Decode() => Paged(1);

    [Benchmark]
    public void Prefill() => Paged(512);

    [Benchmark]
    public void Vision() => VisionAttentionKernel.Run(
        rows.Floats, rows.Floats, rows.Floats, 1, 1226, 16, 64, output.Floats, (void*)scratch.Data, scratch.Bytes, pool);

    [GlobalCleanup]
    public void Dispose()
    {
        pool.Dispose();
        foreach (NativeBuffer buffer in new[] { rows, output, pages, pageTable, scratch })
            buffer.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Paged(int count)
    {
        var cache = new KvLayerView(pages.Data, KvLayerView.LayerBytes(8, 128, CacheFormat.BF16), PageCount, 0, 8, 128, CacheFormat.BF16);
        var span = new SequenceSpan(0, count, Tokens - count, (int*)pageTable.Data);
        PagedAttentionKernel.Run(rows.Floats, Geometry, cache, &span, 1, count, output.Floats, (void*)scratch.Data, scratch.Bytes, pool);
    }
}

using System.Runtime.InteropServices;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Owned host memory, 256-byte aligned, not cleared. The system gives pages only where they are touched.</summary>
internal sealed unsafe class HostMemory : IDisposable
{
    private const nuint Alignment = 256;

    private void* data;

    /// <exception cref="InsufficientMemoryException">The system refuses; the message says how much was asked and for what.</exception>
    public HostMemory(long bytes, string purpose)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        try
        {
            data = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Alignment);
        }
        catch (OutOfMemoryException error)
        {
            throw new InsufficientMemoryException($"the system has no {bytes} bytes of memory left for {purpose}", error);
        }
    }

    ~HostMemory() => Free();

    public long Bytes { get; }

    public byte* Start
    {
        get
        {
            ObjectDisposedException.ThrowIf(data is null, this);
            return (byte*)data;
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(data);
        data = null;
    }
}

/// <summary>The one arena that all bound graphs of a backend share, because they run one after another. Grows while graphs are bound, never while one runs.</summary>
internal sealed unsafe class CpuArena : IDisposable
{
    private HostMemory? memory;

    public byte* Start => memory is null ? throw new InvalidOperationException("no graph is bound") : memory.Start;

    /// <summary>At least this many bytes from now on. What was in a smaller arena is lost.</summary>
    public void Require(long bytes)
    {
        if (memory is not null && memory.Bytes >= bytes)
            return;
        memory?.Dispose();
        memory = null;
        memory = new HostMemory(bytes, "the arena of intermediate results");
    }

    public void Dispose() => memory?.Dispose();
}

/// <summary>Cache pages in host memory; the system gives them memory when they are written.</summary>
internal sealed unsafe class CpuKeyValueMemory : IKeyValueMemory
{
    private readonly HostMemory memory;

    public CpuKeyValueMemory(KeyValueLayout layout, int pages)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pages);
        Layout = layout;
        PageCount = pages;
        memory = new HostMemory(checked(layout.PageBytes * pages), $"{pages} pages of the key/value cache");
    }

    public KeyValueLayout Layout { get; }

    public int PageCount { get; }

    public int ReadyPages => PageCount;

    public bool Grow(int pages) => pages <= PageCount;

    public void Copy(int source, int destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)source, (uint)PageCount, nameof(source));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)destination, (uint)PageCount, nameof(destination));
        Buffer.MemoryCopy(memory.Start + (source * Layout.PageBytes), memory.Start + (destination * Layout.PageBytes), Layout.PageBytes, Layout.PageBytes);
    }

    public KvLayerView Layer(int layer) => new(
        (nint)memory.Start, Layout.PageBytes, PageCount, layer, Layout.Geometry.KeyValueHeads, Layout.Geometry.HeadSize, Layout.Format);

    public void Dispose() => memory.Dispose();
}

/// <summary>Rows in host memory.</summary>
internal sealed unsafe class CpuRowMemory : IRowMemory
{
    private readonly HostMemory memory;

    public CpuRowMemory(int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        Rows = rows;
        Columns = columns;
        memory = new HostMemory(checked((long)rows * columns * sizeof(float)), $"{rows} rows of pictures");
    }

    public int Rows { get; }

    public int Columns { get; }

    public float* Start => (float*)memory.Start;

    public void Write(int row, ReadOnlySpan<float> values) => values.CopyTo(Span(row, RowMemoryChecks.WholeRows(values.Length, Columns)));

    public void CopyFrom(IBoundGraph graph, Tensor output, int row)
    {
        ArgumentNullException.ThrowIfNull(graph);
        Write(row, graph.Output(output));
    }

    public float[] Read(int row, int count) => Span(row, count).ToArray();

    public void Dispose() => memory.Dispose();

    private Span<float> Span(int row, int count)
    {
        RowMemoryChecks.RequireWithin(this, row, count);
        return new Span<float>(Start + ((long)row * Columns), checked(count * Columns));
    }
}

/// <summary>Guards of every backend's rows.</summary>
internal static class RowMemoryChecks
{
    /// <exception cref="ArgumentException">The values end within a row.</exception>
    public static int WholeRows(int values, int columns) =>
        values % columns == 0 ? values / columns : throw new ArgumentException($"expected whole rows of {columns} values, found {values}", nameof(values));

    /// <exception cref="ArgumentOutOfRangeException">There are no such rows.</exception>
    public static void RequireWithin(IRowMemory memory, int row, int count)
    {
        if (row < 0 || count < 0 || row > memory.Rows - count)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"expected {count} rows within {memory.Rows}");
    }
}

using XComposer2.Native.Cpu;

namespace XComposer2.Native.Runtime;

/// <summary>Cache pages in host memory.</summary>
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

    public void Copy(int source, int destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)source, (uint)PageCount, nameof(source));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)destination, (uint)PageCount, nameof(destination));
        Buffer.MemoryCopy(memory.Start + (source * Layout.PageBytes), memory.Start + (destination * Layout.PageBytes), Layout.PageBytes, Layout.PageBytes);
    }

    public KvLayerView Layer(int layer) => new(
        (nint)memory.Start, Layout.PageBytes, PageCount, layer, Layout.Geometry.KeyValueHeads, Layout.Geometry.HeadSize, Layout.Type);

    public void Dispose() => memory.Dispose();
}

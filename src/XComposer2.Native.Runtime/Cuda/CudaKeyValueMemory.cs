using XComposer2.Native.Cuda;

namespace XComposer2.Native.Runtime;

/// <summary>Cache pages on the device, whose memory grows with use; their addresses never change.</summary>
internal sealed class CudaKeyValueMemory : IKeyValueMemory
{
    private readonly GrowingDeviceMemory memory;
    private readonly CudaStream stream;

    public CudaKeyValueMemory(CudaContext context, CudaStream stream, KeyValueLayout layout, int pages)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pages);
        this.stream = stream;
        Layout = layout;
        PageCount = pages;
        memory = GrowingDeviceMemory.Reserve(context, checked(layout.PageBytes * pages));
    }

    public KeyValueLayout Layout { get; }

    public int PageCount { get; }

    public int ReadyPages => (int)(memory.LengthBytes / Layout.PageBytes);

    /// <summary>Device memory that the pages take so far.</summary>
    public long MappedBytes => memory.MappedBytes;

    /// <summary>The first byte of physical page 0.</summary>
    public DevicePointer Start => memory.Span.Pointer;

    /// <summary>Bytes of one layer in one page.</summary>
    public long LayerBytes => Layout.PageBytes / Layout.Layers;

    public bool Grow(int pages) => memory.Grow(pages * Layout.PageBytes);

    /// <summary>Queued like a step: it happens after the steps before and before the steps after.</summary>
    public void Copy(int source, int destination) => stream.Copy(Page(destination), Page(source));

    public void Dispose() => memory.Dispose();

    private DeviceSpan Page(int page) => memory.Span.Slice(page * Layout.PageBytes, Layout.PageBytes);
}

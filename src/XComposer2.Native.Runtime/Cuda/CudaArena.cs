using XComposer2.Native.Cuda;

namespace XComposer2.Native.Runtime;

/// <summary>The one arena that all bound graphs of a backend share. Grows while graphs are bound, never while one runs.</summary>
internal sealed class CudaArena(CudaContext context) : IDisposable
{
    private DeviceMemory? memory;

    /// <summary>Changes whenever the arena moves: what was captured before is no longer good.</summary>
    public int Version { get; private set; }

    public DevicePointer Start => memory is null ? throw new InvalidOperationException("no graph is bound") : memory.Span.Pointer;

    /// <summary>At least this many bytes from now on. What was in a smaller arena is lost.</summary>
    public void Require(long bytes)
    {
        if (memory is not null && memory.LengthBytes >= bytes)
            return;
        context.Synchronize();
        memory?.Dispose();
        memory = null;
        memory = DeviceMemory.Allocate(context, Math.Max(1, bytes));
        Version++;
    }

    public void Dispose() => memory?.Dispose();
}

namespace XComposer2.Native.Runtime;

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

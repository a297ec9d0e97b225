using XComposer2.Native.Cuda;

namespace XComposer2.Native.Runtime;

/// <summary>Scratch of one bound graph that keeps its contents from run to run, such as counters that every launch leaves at zero.</summary>
internal sealed class CudaSharedScratch(CudaContext context, CudaStream stream) : IDisposable
{
    private readonly Dictionary<(string Name, long Bytes), DeviceMemory> memory = [];

    /// <summary>The same memory for the same name and size; zero when first given out.</summary>
    public DeviceSpan Get(string name, long bytes)
    {
        if (!memory.TryGetValue((name, bytes), out DeviceMemory? found))
        {
            found = DeviceMemory.Allocate(context, bytes);
            memory.Add((name, bytes), found);
            stream.Fill(found.Span, 0);
        }

        return found.Span;
    }

    public void Dispose()
    {
        foreach (DeviceMemory block in memory.Values)
            block.Dispose();
    }
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>What all bound graphs of one backend share. Owns all of it.</summary>
internal sealed class CudaDeviceState : IDisposable
{
    public CudaDeviceState(CudaContext context, DType storage, KernelLoader kernels, CudaBackendOptions options)
    {
        Context = context;
        Storage = storage;
        Kernels = kernels;
        EmbeddingsOnHost = options.EmbeddingsOnHost;
        CompileProgress = options.CompileProgress;
        Stream = CudaStream.Create(context);
        Arena = new CudaArena(context);
        RopeTables = new CudaRopeTables(context, Stream);
        Ring = new UploadRing(context, Stream, options.UploadProgress);
    }

    public CudaContext Context { get; }

    public DType Storage { get; }

    public bool EmbeddingsOnHost { get; }

    public KernelLoader Kernels { get; }

    public IProgress<CompileProgress>? CompileProgress { get; }

    public CudaStream Stream { get; }

    public CudaArena Arena { get; }

    public CudaRopeTables RopeTables { get; }

    public UploadRing Ring { get; }

    public void Dispose()
    {
        Ring.Dispose();
        RopeTables.Dispose();
        Arena.Dispose();
        Stream.Dispose();
        Kernels.Dispose();
        Context.Dispose();
    }
}

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

/// <summary>Rotary tables on the device, each made once on the host with the numbers that the processor's backend uses.</summary>
internal sealed unsafe class CudaRopeTables(CudaContext context, CudaStream stream) : IDisposable
{
    private readonly Dictionary<(int Positions, int HeadSize, float Theta), DeviceMemory> tables = [];

    /// <summary>[positions, headSize / 2] pairs of cosine and sine.</summary>
    public DevicePointer Get(int positions, int headSize, float theta)
    {
        if (!tables.TryGetValue((positions, headSize, theta), out DeviceMemory? memory))
            tables.Add((positions, headSize, theta), memory = Upload(positions, headSize, theta));
        return memory.Span.Pointer;
    }

    public void Dispose()
    {
        foreach (DeviceMemory memory in tables.Values)
            memory.Dispose();
    }

    private DeviceMemory Upload(int positions, int headSize, float theta)
    {
        var table = new RopeTable(positions, headSize, theta);
        int half = headSize / 2;
        DeviceMemory memory = DeviceMemory.Allocate(context, RopeTable.Bytes(positions, headSize));
        var pairs = new float[Math.Min(RopeTable.BlockPositions, positions) * headSize];
        for (int first = 0; first < positions; first += RopeTable.BlockPositions)
        {
            int rows = Math.Min(RopeTable.BlockPositions, positions - first);
            for (int i = 0; i < rows * half; i++)
            {
                float* row = table.Row(first + (i / half));
                (pairs[2 * i], pairs[(2 * i) + 1]) = (row[i % half], row[half + (i % half)]);
            }

            stream.CopyToDevice<float>(memory.Span.Slice(RopeTable.Bytes(first, headSize), RopeTable.Bytes(rows, headSize)), pairs.AsSpan(0, rows * headSize));
        }

        GC.KeepAlive(table);
        return memory;
    }
}

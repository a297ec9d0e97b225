using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>A graph of launches that do nothing, one after the other: what a node costs by itself, which no kernel of a captured step is below. Owns the graph.</summary>
internal sealed class NodeProbe : IDisposable
{
    private readonly CudaStream stream;
    private readonly int nodes;
    private readonly DeviceMemory memory;
    private readonly CudaGraphExecutable executable;

    /// <param name="context">Where.</param>
    /// <param name="stream">Not owned.</param>
    /// <param name="kernels">Has <see cref="ReadStream"/>, which reads no chunks here.</param>
    /// <param name="nodes">Launches in the graph.</param>
    public NodeProbe(CudaContext context, CudaStream stream, KernelLoader kernels, int nodes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nodes, 1);
        this.stream = stream;
        this.nodes = nodes;
        ReadStream reader = new();
        LaunchGeometry geometry = new(1, reader.BlockThreads);
        CudaKernel kernel = kernels.Get(reader);
        memory = DeviceMemory.Allocate(context, reader.SumBytes(geometry));
        try
        {
            ReadStreamArguments nothing = new(memory.Span.Pointer, memory.Span.Pointer, Chunks: 0);
            using StreamCapture capture = stream.BeginCapture();
            for (int i = 0; i < nodes; i++)
                kernel.Launch(stream, geometry, nothing);
            using CudaGraph graph = capture.End();
            executable = graph.Instantiate();
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    /// <summary>Microseconds of a node: the fastest launch of the graph over its nodes.</summary>
    public double Time(KernelTimer timer) => timer.Time(() => executable.Launch(stream)).Min() / nodes;

    public void Dispose()
    {
        executable.Dispose();
        memory.Dispose();
    }
}

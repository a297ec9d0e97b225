using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Inputs of one bound graph: page-locked staging for the host, and their places on the device.</summary>
internal sealed class CudaInputs : IDisposable
{
    private readonly ComputeGraph graph;
    private readonly PinnedMemory host;
    private readonly DeviceMemory device;
    private readonly long[] offsets;

    public CudaInputs(CudaContext context, ComputeGraph graph, int cachePages)
    {
        this.graph = graph;
        offsets = new long[graph.Tensors.Length];
        long bytes = 0;
        for (int i = 0; i < offsets.Length; i++)
        {
            if (graph.Tensors[i].Role != TensorRole.Input)
                continue;
            offsets[i] = bytes;
            bytes = checked(bytes + MemoryPlanner.Align(graph.Tensors[i].CapacityBytes));
        }

        host = PinnedMemory.Allocate(context, Math.Max(1, bytes));
        device = DeviceMemory.Allocate(context, Math.Max(1, bytes));
        Sequences = new CudaSequences(context, Math.Clamp(graph.Capacity.Tokens, 1, CudaSequences.Maximum), cachePages);
    }

    public CudaSequences Sequences { get; }

    public DevicePointer AddressOf(Tensor input) => device.Span.Pointer + offsets[input.Index];

    /// <summary>Staging of one input at full capacity.</summary>
    public Span<T> Staging<T>(Tensor input, DType type)
        where T : unmanaged
    {
        TensorSpec spec = graph[input];
        if (spec.Role != TensorRole.Input || spec.Type != type)
            throw new ArgumentException($"graph '{graph.Name}', tensor '{spec.Name}': expected an input of {type}, found {spec.Type} of role {spec.Role}", nameof(input));
        return host.Span.Slice(offsets[input.Index], spec.CapacityBytes).AsSpan<T>();
    }

    /// <summary>Queues the copy to the device of the rows that a run reads, and of its sequences.</summary>
    public void Upload(CudaStream stream, RowCounts counts)
    {
        for (int i = 0; i < offsets.Length; i++)
        {
            TensorSpec spec = graph.Tensors[i];
            if (spec.Role != TensorRole.Input)
                continue;
            long bytes = (long)counts.Resolve(spec.Rows) * spec.RowElements * spec.Type.ElementBytes();
            if (bytes > 0)
                stream.CopyToDevice(device.Span.Slice(offsets[i], bytes), host.Span.Slice(offsets[i], bytes));
        }

        Sequences.Upload(stream);
    }

    public void Dispose()
    {
        host.Dispose();
        device.Dispose();
        Sequences.Dispose();
    }
}

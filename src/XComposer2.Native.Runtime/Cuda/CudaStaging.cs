using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

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

/// <summary>The sequences of a step as kernels read them: spans, and one table of physical pages. Written by the host before each step, at a fixed place.</summary>
internal sealed class CudaSequences : IDisposable
{
    /// <summary>Sequences of one step at most.</summary>
    public const int Maximum = 64;

    private readonly PinnedMemory host;
    private readonly DeviceMemory device;
    private readonly int maximumPages;

    /// <param name="context">Where.</param>
    /// <param name="maximumSequences">Of one step.</param>
    /// <param name="cachePages">Pages that there are, so that a sequence has at most as many.</param>
    public CudaSequences(CudaContext context, int maximumSequences, int cachePages)
    {
        MaximumSequences = maximumSequences;
        maximumPages = checked(maximumSequences * Math.Max(1, cachePages));
        long bytes = SpanBytes + ((long)maximumPages * sizeof(int));
        host = PinnedMemory.Allocate(context, bytes);
        device = DeviceMemory.Allocate(context, bytes);
    }

    public int MaximumSequences { get; }

    /// <summary>Address of the spans.</summary>
    public DevicePointer Spans => device.Span.Pointer;

    /// <summary>Address of the page table.</summary>
    public DevicePointer PageTable => device.Span.Pointer + SpanBytes;

    private long SpanBytes => MaximumSequences * (long)Marshal.SizeOf<SequenceSpan>();

    /// <summary>Describes a step in host memory.</summary>
    /// <exception cref="ArgumentException">A sequence has reserved less than its rows need, or there are too many.</exception>
    public void Write(ReadOnlySpan<SequenceRows> sequences)
    {
        if (sequences.Length > MaximumSequences)
            throw new ArgumentException($"a step of this graph takes at most {MaximumSequences} sequences, found {sequences.Length}", nameof(sequences));
        Span<SequenceSpan> spans = host.Span.Slice(0, SpanBytes).AsSpan<SequenceSpan>();
        Span<int> pageTable = host.Span.Slice(SpanBytes, (long)maximumPages * sizeof(int)).AsSpan<int>();
        spans.Clear();
        int firstPage = 0;
        for (int i = 0; i < sequences.Length; i++)
        {
            (KeyValueSequence sequence, int firstRow, int rowCount) = sequences[i];
            if (rowCount > sequence.ReservedLength - sequence.Length)
                throw new ArgumentException($"sequence {i}: room is reserved for {sequence.ReservedLength - sequence.Length} tokens, the step has {rowCount}", nameof(sequences));
            spans[i] = new SequenceSpan(firstRow, rowCount, sequence.Length, firstPage);
            sequence.Pages.CopyTo(pageTable[firstPage..]);
            firstPage += sequence.Pages.Length;
        }
    }

    /// <summary>Queues the copy to the device of all there is room for.</summary>
    public void Upload(CudaStream stream) => stream.CopyToDevice(device.Span, host.Span);

    public void Dispose()
    {
        host.Dispose();
        device.Dispose();
    }
}

/// <summary>Brings outputs of one bound graph to the host, as F32 whatever they are stored as.</summary>
internal sealed unsafe class CudaOutputs(CudaContext context, ExecutionPlan plan) : IDisposable
{
    private readonly Dictionary<Tensor, float[]> values = [];
    private PinnedMemory? buffer;

    /// <summary>Waits for the run, and copies.</summary>
    public Span<float> Read(Tensor output, RowCounts counts, DevicePointer arena, CudaStream stream)
    {
        TensorSpec spec = plan.Graph[output];
        if (spec.Role != TensorRole.Output)
            throw new ArgumentException($"graph '{plan.Graph.Name}', tensor '{spec.Name}': expected an output, found a tensor of role {spec.Role}", nameof(output));
        int elements = checked(counts.Resolve(spec.Rows) * spec.RowElements);
        if (!values.TryGetValue(output, out float[]? found) || found.Length < elements)
            values[output] = found = new float[elements];
        if (elements == 0)
            return [];
        long bytes = (long)elements * spec.Type.ElementBytes();
        PinnedSpan staging = Staging(bytes);
        stream.CopyToHost(staging, new DeviceSpan(arena + plan.OffsetOf(output), bytes));
        stream.Synchronize();
        fixed (float* target = found)
            HostRowConversion.Copy(new HostRow(new HostTensor(staging.Address, spec.Type, new Shape(1, elements)), 0), elements, DType.F32, (byte*)target);
        return found.AsSpan(0, elements);
    }

    public void Dispose() => buffer?.Dispose();

    private PinnedSpan Staging(long bytes)
    {
        if (buffer is null || buffer.LengthBytes < bytes)
        {
            buffer?.Dispose();
            buffer = null;
            buffer = PinnedMemory.Allocate(context, bytes);
        }

        return buffer.Span.Slice(0, bytes);
    }
}

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

    public CudaInputs(CudaContext context, ComputeGraph graph, StepLimits limits)
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
        Sequences = new CudaSequences(context, limits);
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
    private readonly PinnedMemory host;
    private readonly DeviceMemory device;
    private readonly StepLimits limits;
    private readonly int maximumPages;
    private int usedPages;

    /// <param name="context">Where.</param>
    /// <param name="limits">Of one step.</param>
    public CudaSequences(CudaContext context, StepLimits limits)
    {
        this.limits = limits;
        maximumPages = checked(limits.Sequences * Math.Max(1, limits.PagesPerSequence));
        long bytes = SpanBytes + ((long)maximumPages * sizeof(int));
        host = PinnedMemory.Allocate(context, bytes);
        device = DeviceMemory.Allocate(context, bytes);
    }

    public int MaximumSequences => limits.Sequences;

    /// <summary>Address of the spans.</summary>
    public DevicePointer Spans => device.Span.Pointer;

    /// <summary>Address of the page table.</summary>
    public DevicePointer PageTable => device.Span.Pointer + SpanBytes;

    private long SpanBytes => MaximumSequences * (long)Marshal.SizeOf<SequenceSpan>();

    /// <summary>Describes a step in host memory.</summary>
    /// <exception cref="ArgumentException">A sequence has reserved less than its rows need, is longer than the limits allow, or there are too many.</exception>
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
            if (sequence.Length + rowCount > limits.Positions)
                throw new ArgumentException($"sequence {i}: expected at most {limits.Positions} tokens, found {sequence.Length + rowCount}", nameof(sequences));
            spans[i] = new SequenceSpan(firstRow, rowCount, sequence.Length, firstPage);
            // Those that are reserved for later steps stay out.
            ReadOnlySpan<int> pages = sequence.Pages[..(int)KeyValuePages.Count(sequence.Length + rowCount)];
            pages.CopyTo(pageTable[firstPage..]);
            firstPage += pages.Length;
        }

        usedPages = firstPage;
    }

    /// <summary>Queues the copy to the device of the spans and of the pages that the step uses.</summary>
    public void Upload(CudaStream stream)
    {
        long bytes = SpanBytes + ((long)usedPages * sizeof(int));
        stream.CopyToDevice(device.Span.Slice(0, bytes), host.Span.Slice(0, bytes));
    }

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

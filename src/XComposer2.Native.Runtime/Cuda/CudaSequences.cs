using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

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

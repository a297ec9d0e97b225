using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Copies weights to the device through page-locked buffers in turn: while one is being copied, the next is filled.</summary>
internal sealed unsafe class UploadRing : IDisposable
{
    private const int Buffers = 2;

    private const long BufferBytes = 8L << 20;

    private readonly CudaContext context;
    private readonly CudaStream stream;
    private readonly PinnedMemory?[] memory = new PinnedMemory?[Buffers];
    private readonly CudaEvent[] copied;
    private readonly IProgress<long>? progress;
    private long uploadedBytes;
    private int next;

    /// <param name="context">Where.</param>
    /// <param name="stream">Copies.</param>
    /// <param name="progress">Told after each copy that is queued how many bytes were, in all; null for no one.</param>
    public UploadRing(CudaContext context, CudaStream stream, IProgress<long>? progress)
    {
        this.context = context;
        this.stream = stream;
        this.progress = progress;
        copied = [CudaEvent.Create(context), CudaEvent.Create(context)];
    }

    /// <summary>Writes rows one after another, converted to a type.</summary>
    /// <param name="destination">[rows, columns] of <paramref name="type"/>.</param>
    /// <param name="type">F32, F16 or BF16; of integers, the type of the rows.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="rowOf">The row that goes to this place.</param>
    /// <param name="packing">Puts rows of integers into another order, some at a time; null for none.</param>
    public void Upload(DeviceSpan destination, DType type, int columns, int rows, Func<int, HostRow> rowOf, RowPacking? packing = null)
    {
        long rowBytes = type.Bytes(columns);
        int together = packing?.Rows ?? 1;
        int chunkRows = (int)Math.Clamp(BufferBytes / rowBytes / together * together, together, rows);
        for (int first = 0; first < rows; first += chunkRows)
        {
            int count = Math.Min(chunkRows, rows - first);
            PinnedSpan buffer = Take(count * rowBytes);
            var target = (byte*)buffer.Address;
            int start = first;
            if (packing is null)
                Parallel.For(0, count, row => HostRowConversion.Copy(rowOf(start + row), columns, type, target + (row * rowBytes)));
            else
                Parallel.For(0, count / together, turn =>
                    HostRowConversion.Pack(row => rowOf(start + (turn * together) + row), columns, type, target + (turn * together * rowBytes), packing));
            stream.CopyToDevice(destination.Slice(first * rowBytes, count * rowBytes), buffer);
            stream.Record(copied[next]);
            next = (next + 1) % Buffers;
            Count(count * rowBytes);
        }
    }

    /// <summary>So many bytes more are where the device reads them.</summary>
    public void Count(long bytes) => progress?.Report(uploadedBytes += bytes);

    public void Dispose()
    {
        foreach (CudaEvent mark in copied)
            mark.Dispose();
        foreach (PinnedMemory? buffer in memory)
            buffer?.Dispose();
    }

    /// <summary>The next buffer, once what it held before is on the device.</summary>
    private PinnedSpan Take(long bytes)
    {
        copied[next].Synchronize();
        if (memory[next] is null || memory[next]!.LengthBytes < bytes)
        {
            memory[next]?.Dispose();
            memory[next] = null;
            memory[next] = PinnedMemory.Allocate(context, Math.Max(bytes, BufferBytes));
        }

        return memory[next]!.Span.Slice(0, bytes);
    }
}

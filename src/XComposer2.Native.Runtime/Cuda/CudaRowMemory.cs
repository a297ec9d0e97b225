using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Rows on the device, whose memory grows with use; their addresses never change.</summary>
internal sealed class CudaRowMemory : IRowMemory
{
    private readonly GrowingDeviceMemory memory;
    private readonly CudaStream stream;

    public CudaRowMemory(CudaContext context, CudaStream stream, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        this.stream = stream;
        Rows = rows;
        Columns = columns;
        memory = GrowingDeviceMemory.Reserve(context, checked((long)rows * columns * sizeof(float)));
    }

    public int Rows { get; }

    public int Columns { get; }

    public DevicePointer Start => memory.Span.Pointer;

    public void Write(int row, ReadOnlySpan<float> values) => stream.CopyToDevice(Span(row, RowMemoryChecks.WholeRows(values.Length, Columns)), values);

    public void CopyFrom(IBoundGraph graph, Tensor output, int row)
    {
        if (graph is not CudaBoundGraph bound)
            throw new ArgumentException("the graph is of another backend", nameof(graph));
        TensorSpec spec = graph.Graph[output];
        if (spec.Type != DType.F32 || spec.RowElements != Columns)
            throw new ArgumentException($"graph '{graph.Graph.Name}', tensor '{spec.Name}': expected {DType.F32} rows of {Columns}, found {spec.Type} rows of {spec.RowElements}", nameof(output));
        DeviceSpan values = bound.SpanOf(output);
        if (values.LengthBytes > 0)
            stream.Copy(Span(row, (int)(values.LengthBytes / ((long)Columns * sizeof(float)))), values);
    }

    public float[] Read(int row, int count)
    {
        var values = new float[checked(count * Columns)];
        stream.CopyToHost<float>(values, Span(row, count));
        return values;
    }

    public void Dispose() => memory.Dispose();

    private DeviceSpan Span(int row, int count)
    {
        RowMemoryChecks.RequireWithin(this, row, count);
        long rowBytes = (long)Columns * sizeof(float);
        if (!memory.Grow((row + count) * rowBytes))
            throw new InsufficientMemoryException($"the GPU has no memory left for rows {row} to {row + count} of pictures, {(row + count) * rowBytes} bytes");
        return memory.Span.Slice(row * rowBytes, count * rowBytes);
    }
}

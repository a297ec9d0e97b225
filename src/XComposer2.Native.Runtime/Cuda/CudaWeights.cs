using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Weights on the device, each uploaded when first asked for, in the order of rows and the type that its kernel wants.</summary>
internal sealed class CudaWeights : IDisposable
{
    private readonly CudaContext context;
    private readonly UploadRing ring;
    private readonly IWeightSource source;
    private readonly Dictionary<(CudaWeight Weight, DType Type), DeviceMemory> uploaded = [];

    public CudaWeights(CudaContext context, UploadRing ring, IWeightSource source)
    {
        this.context = context;
        this.ring = ring;
        this.source = source;
    }

    /// <summary>Bytes on the device.</summary>
    public long TotalBytes => uploaded.Values.Sum(memory => memory.LengthBytes);

    /// <summary>Address of a weight.</summary>
    /// <exception cref="GraphException">The source has no such weight.</exception>
    public DevicePointer Get(CudaWeight weight, DType type)
    {
        if (!uploaded.TryGetValue((weight, type), out DeviceMemory? memory))
            uploaded.Add((weight, type), memory = Upload(weight, type));
        return memory.Span.Pointer;
    }

    public DevicePointer Get(string name, DType type) => Get(new PlainWeight(name), type);

    /// <summary>Rows and columns of a matrix as its kernel sees it.</summary>
    public (int Rows, int Columns) SizeOf(CudaWeight weight)
    {
        HostTensor first = Find(weight.Name);
        int rows = first.Shape[0];
        int columns = checked((int)(first.Shape.ElementCount / rows));
        return weight switch
        {
            GateUpWeight pair => (rows + Find(pair.Up).Shape[0], columns),
            StackedWeight pair => (rows + Find(pair.Below).Shape[0], columns),
            _ => (rows, columns),
        };
    }

    public void Dispose()
    {
        foreach (DeviceMemory memory in uploaded.Values)
            memory.Dispose();
    }

    private DeviceMemory Upload(CudaWeight weight, DType type)
    {
        (int rows, int columns) = SizeOf(weight);
        DeviceMemory memory = DeviceMemory.Allocate(context, checked((long)rows * columns * type.ElementBytes()));
        try
        {
            HostTensor first = Find(weight.Name);
            HostTensor second = weight switch
            {
                GateUpWeight pair => Find(pair.Up),
                StackedWeight pair => Find(pair.Below),
                _ => first,
            };
            ring.Upload(memory.Span, type, columns, rows, row =>
            {
                (bool fromSecond, int sourceRow) = CudaRowOrder.SourceOf(weight, row, first.Shape[0]);
                return new HostRow(fromSecond ? second : first, sourceRow);
            });
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    private HostTensor Find(string name) => source.TryGet(name, out HostTensor tensor)
        ? tensor
        : throw new GraphException($"weight '{name}': expected a tensor to upload, found none");
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Weights on the device, each uploaded when first asked for, in the order of rows and the type that its kernel wants.</summary>
internal sealed class CudaWeights : IDisposable
{
    private readonly CudaContext context;
    private readonly UploadRing ring;
    private readonly IWeightSource source;
    private readonly Dictionary<(CudaWeight Weight, DType Type), DeviceMemory> uploaded = [];
    private readonly Dictionary<(string Name, DType Type), PinnedMemory> onHost = [];

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
        if (!IsUploaded(weight, type))
        {
            Upload(weight, type);
            Release(weight);
        }

        return uploaded[(weight, type)].Span.Pointer;
    }

    public DevicePointer Get(string name, DType type) => Get(new PlainWeight(name), type);

    /// <summary>Addresses of a table whose rows are looked up, as stored.</summary>
    /// <param name="name">Of the table.</param>
    /// <param name="type">Of its elements.</param>
    /// <param name="scales">Name of the F32 scales of its rows; null where it has none.</param>
    /// <param name="isOnHost">Elements stay in page-locked host memory: a kernel reads little of them.</param>
    public DeviceMatrix GetTable(string name, DType type, string? scales, bool isOnHost)
    {
        if (isOnHost && !onHost.ContainsKey((name, type)))
            onHost.Add((name, type), CopyToPinned(Find(name), type));
        if (!isOnHost)
            Upload(new PlainWeight(name), type);
        if (scales is not null)
            Upload(new PlainWeight(scales), DType.F32);
        // Parts are made together, and let go together.
        source.Release(name);
        return new DeviceMatrix(
            isOnHost ? onHost[(name, type)].DeviceSpan.Pointer : uploaded[(new PlainWeight(name), type)].Span.Pointer,
            scales is null ? default : uploaded[(new PlainWeight(scales), DType.F32)].Span.Pointer);
    }

    /// <summary>Addresses of the parts of a linear's weight, which the source makes together and lets go together.</summary>
    /// <exception cref="GraphException">The source has no such weight, or has it in another format.</exception>
    public DeviceMatrix Get(CudaWeight weight, WeightFormat format)
    {
        if (format.IsFloat)
            return new DeviceMatrix(Get(weight, format.Elements));
        DeviceWeights device = DeviceWeights.Of(format);
        HostTensor facts = RequireStored(weight, device);
        WeightPartSpec[] parts = [.. format.Parts(facts.Shape)];
        if (parts.Any(part => !IsUploaded(weight.Part(part.Part), part.Type)))
        {
            int[]? order = format.HasGroupIndex ? ColumnOrder(weight, format) : null;
            foreach (WeightPartSpec part in parts)
                if (part.Part == WeightPart.GroupIndex)
                    UploadOrder(weight.Part(part.Part), order!);
                else
                    Upload(weight.Part(part.Part), part.Type, device.PackingOf(part.Part, order));
            foreach (WeightPartSpec part in parts)
                Release(weight.Part(part.Part));
        }

        return new DeviceMatrix(AddressOf(WeightPart.Elements), AddressOf(WeightPart.Scales), AddressOf(WeightPart.ZeroPoints), AddressOf(WeightPart.GroupIndex));

        DevicePointer AddressOf(WeightPart wanted) =>
            Array.Find(parts, part => part.Part == wanted) is { Shape.Rank: > 0 } spec ? uploaded[(weight.Part(wanted), spec.Type)].Span.Pointer : default;
    }

    /// <summary>Rows and columns of a matrix as its kernel sees it.</summary>
    public (int Rows, int Columns) SizeOf(CudaWeight weight)
    {
        HostTensor first = Describe(weight.Name);
        int rows = first.Shape[0];
        int columns = checked((int)(first.Shape.ElementCount / rows));
        return (rows + weight.Others.Sum(name => Describe(name).Shape[0]), columns);
    }

    public void Dispose()
    {
        foreach (DeviceMemory memory in uploaded.Values)
            memory.Dispose();
        foreach (PinnedMemory memory in onHost.Values)
            memory.Dispose();
    }

    private unsafe PinnedMemory CopyToPinned(HostTensor tensor, DType type)
    {
        int rows = tensor.Shape[0], columns = checked((int)(tensor.Shape.ElementCount / rows));
        long rowBytes = type.Bytes(columns);
        PinnedMemory memory = PinnedMemory.Allocate(context, checked(rows * rowBytes), isWriteCombined: true);
        var target = (byte*)memory.Span.Address;
        Parallel.For(0, rows, row => HostRowConversion.Copy(new HostRow(tensor, row), columns, type, target + (row * rowBytes)));
        ring.Count(rows * rowBytes);
        return memory;
    }

    private HostTensor RequireStored(CudaWeight weight, DeviceWeights device)
    {
        HostTensor facts = Describe(weight.Name);
        return facts.Type == device.Format.Elements && facts.Shape.Rank == 2 && facts.Shape[1] % device.ColumnMultiple == 0
            ? facts
            : throw new GraphException($"weight '{weight.Name}': expected {device.Format.Elements} rows of a multiple of {device.ColumnMultiple} elements on a GPU, found {facts.Type} {facts.Shape}");
    }

    // Of matrices that share an input, and so the order of its columns.
    private unsafe int[] ColumnOrder(CudaWeight weight, WeightFormat format)
    {
        CudaWeight part = weight.Part(WeightPart.GroupIndex);
        HostTensor index = Find(part.Name);
        var groups = new ReadOnlySpan<int>((int*)index.Data, index.Shape[0]);
        foreach (string name in part.Others)
            if (!groups.SequenceEqual(new ReadOnlySpan<int>((int*)Find(name).Data, index.Shape[0])))
                throw new GraphException($"weight '{name}': expected the group index of '{part.Name}' on a GPU, found another");
        try
        {
            return GroupedWeights.ColumnOrder(groups, format.GroupSize);
        }
        catch (ArgumentException error)
        {
            throw new GraphException($"weight '{part.Name}': {error.Message}", error);
        }
    }

    private unsafe void UploadOrder(CudaWeight index, int[] order)
    {
        if (IsUploaded(index, DType.I32))
            return;
        DeviceMemory memory = DeviceMemory.Allocate(context, (long)order.Length * sizeof(int));
        uploaded.Add((index, DType.I32), memory);
        fixed (int* start = order)
        {
            var row = new HostRow(new HostTensor((nint)start, DType.I32, new Shape(1, order.Length)), 0);
            ring.Upload(memory.Span, DType.I32, order.Length, 1, _ => row);
        }
    }

    private bool IsUploaded(CudaWeight weight, DType type) => uploaded.ContainsKey((weight, type));

    private void Upload(CudaWeight weight, DType type, RowPacking? packing = null)
    {
        if (IsUploaded(weight, type))
            return;
        (int rows, int columns) = SizeOf(weight);
        DeviceMemory memory = DeviceMemory.Allocate(context, checked(rows * type.Bytes(columns)));
        try
        {
            HostTensor[] tensors = [Find(weight.Name), .. weight.Others.Select(Find)];
            ring.Upload(memory.Span, type, columns, rows, row =>
            {
                int place = SourceRow(weight, row, tensors[0].Shape[0]), tensor = 0;
                while (place >= tensors[tensor].Shape[0])
                    place -= tensors[tensor++].Shape[0];
                return new HostRow(tensors[tensor], place);
            }, packing);
            uploaded.Add((weight, type), memory);
        }
        catch (AggregateException error) when (error.InnerException is OverflowException overflow)
        {
            memory.Dispose();
            throw new GraphException($"weight '{weight.Name}': {overflow.Message}; another storage type has the range", overflow);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    /// <summary>The row that goes to this place, of the matrices one below the other.</summary>
    private static int SourceRow(CudaWeight weight, int row, int firstRows) => weight switch
    {
        GateUpWeight => RowPermutation.GateUp(row, firstRows),
        RopePackedWeight packed => RowPermutation.Rope(row, packed.Geometry),
        _ => row,
    };

    /// <summary>The bytes are on the device or on their way in page-locked memory: what the host holds for them alone may go.</summary>
    private void Release(CudaWeight weight)
    {
        source.Release(weight.Name);
        foreach (string name in weight.Others)
            source.Release(name);
    }

    private HostTensor Describe(string name) => source.TryDescribe(name, out HostTensor facts) ? facts : throw Missing(name);

    private HostTensor Find(string name) => source.TryGet(name, out HostTensor tensor) ? tensor : throw Missing(name);

    private static GraphException Missing(string name) => new($"weight '{name}': expected a tensor to upload, found none");
}

using System.Collections.Immutable;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The one place that knows which kernel runs which operation of a lowered graph. Pure: no device is touched, and equal questions have equal answers.</summary>
public static class KernelChoice
{
    /// <param name="operation">Of the graph.</param>
    /// <param name="graph">Lowered (<see cref="CudaLowering"/>): types and sizes of tensors.</param>
    /// <param name="rows">Rows of the operation's result in the run.</param>
    /// <param name="device">Where it runs.</param>
    /// <exception cref="NotSupportedException">There is no kernel for the operation.</exception>
    public static OperationKernel Choose(Operation operation, ComputeGraph graph, int rows, DeviceFacts device)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return operation switch
        {
            FusedLinearOp linear => LinearChoice.Choose(linear, graph, rows, device),
            DequantizeOp weight => new Dequantize(weight.Storage, weight.Format, graph[weight.Output].RowElements, graph[weight.Output].Shape[0]),
            LoraDownOp down => LinearTiles.ChooseForLora(device.Capability, graph[down.Output].Type, graph[down.Input].RowElements, graph[down.Output].RowElements),
            PagedAttentionOp attention => AttentionChoice.Choose(attention, graph, device),
            RopeKvAppendOp rope when graph.Cache == CacheFormat.Int8 => new RopeKvAppend(graph[rope.Output].Type, rope.Geometry),
            VisionAttentionOp attention => AttentionChoice.Choose(attention, graph, device),
            RmsNormOp norm => new RmsNorm(graph[norm.Weight].Type, graph[norm.Output].Type, graph[norm.Input].RowElements),
            LayerNormOp norm => new LayerNorm(graph[norm.Weight].Type, graph[norm.Output].Type, graph[norm.Input].RowElements),
            EmbedTokensOp embed => new EmbedTokens(graph[embed.Table.Elements].Type, graph[embed.Table.Elements].RowElements),
            SelectRowsOp select => new SelectRows(graph[select.Output].Type, graph[select.Input].RowElements),
            SelectPatchesOp select => new SelectPatches(graph[select.Output].Type, graph[select.Input].RowElements),
            PatchEmbeddingOp patches => new PatchEmbedding(graph[patches.Weight].Type, graph[patches.Pixels].Shape[3], graph[patches.Weight].Shape[3], graph[patches.Weight].Shape[0]),
            _ => TrainingChoice.Choose(operation, graph, rows) ?? throw new NotSupportedException($"graph '{graph.Name}': the GPU has no kernel for {operation.Name}"),
        };
    }

    /// <summary>Bytes of the arena that the operation's kernel may write while it runs, whatever the device.</summary>
    public static long ScratchBytes(Operation operation, ComputeGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return operation is LoraDownOp down
            ? LinearTiles.LoraScratchBytes(graph[down.Output].Type, graph[down.Input].RowElements, graph[down.Output].RowElements, graph[down.Output].Shape[0])
            : 0;
    }

    /// <summary>Every kernel that some card of a generation is given for the operation, whatever its multiprocessors and however many rows run: what is compiled
    /// ahead of time.</summary>
    /// <inheritdoc cref="Choose"/>
    public static IEnumerable<OperationKernel> Candidates(Operation operation, ComputeGraph graph, ComputeCapability capability) => operation is FusedLinearOp linear
        ? LinearChoice.Candidates(linear, graph, capability)
        : KernelsByRows.Of(operation, graph, new DeviceFacts(capability, multiprocessors: 1)).Kernels;
}

/// <summary>The kernels of one operation on one device, by the rows that run: an operation is bound to all of them, and a launch takes the one of its rows.</summary>
public sealed class KernelsByRows
{
    /// <summary>Rows in a row that have the same kernel: no chooser looks closer, which a test holds them to.</summary>
    public const int Granularity = 8;

    private readonly ImmutableArray<(int LastRow, int Index)> ranges;

    private KernelsByRows(ImmutableArray<OperationKernel> kernels, ImmutableArray<(int LastRow, int Index)> ranges)
    {
        Kernels = kernels;
        this.ranges = ranges;
    }

    /// <summary>Each once.</summary>
    public ImmutableArray<OperationKernel> Kernels { get; }

    /// <inheritdoc cref="KernelChoice.Choose"/>
    public static KernelsByRows Of(Operation operation, ComputeGraph graph, DeviceFacts device)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(graph);
        TensorSpec result = graph[operation.Output];
        int capacity = Math.Max(1, result.Shape[0]), step = Math.Max(Granularity, result.Rows.PerUnit);
        var kernels = ImmutableArray.CreateBuilder<OperationKernel>();
        var ranges = ImmutableArray.CreateBuilder<(int LastRow, int Index)>();
        for (int rows = Math.Min(step, capacity); ; rows = Math.Min(rows + step, capacity))
        {
            OperationKernel kernel = KernelChoice.Choose(operation, graph, rows, device);
            int index = kernels.IndexOf(kernel);
            if (index < 0)
            {
                index = kernels.Count;
                kernels.Add(kernel);
            }

            if (ranges.Count > 0 && ranges[^1].Index == index)
                ranges[^1] = (rows, index);
            else
                ranges.Add((rows, index));
            if (rows == capacity)
                return new KernelsByRows(kernels.ToImmutable(), ranges.ToImmutable());
        }
    }

    /// <summary>Place in <see cref="Kernels"/> of the kernel for so many rows, up to the graph's capacity.</summary>
    public int IndexFor(int rows)
    {
        int range = 0;
        while (range < ranges.Length - 1 && rows > ranges[range].LastRow)
            range++;
        return ranges[range].Index;
    }
}

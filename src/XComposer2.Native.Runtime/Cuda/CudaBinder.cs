using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Resolves the operands of one lowered plan's operations, while it is being bound.</summary>
internal sealed class CudaBinder(ExecutionPlan plan, CudaWeights weights, CudaKeyValueMemory? pages, CudaRowMemory? rows, StepLimits limits, CudaRopeTables ropeTables, CudaInputs inputs, CudaSharedScratch shared, CudaContext context, DType storage, bool embeddingsOnHost, CudaParameters? parameters = null)
    : IKernelOperands
{
    private readonly ComputeGraph graph = plan.Graph;

    public CudaContext Context { get; } = context;

    public DeviceFacts Device { get; } = DeviceFacts.Of(context.Device);

    public KernelSequences Sequences => new(inputs.Sequences.Spans, inputs.Sequences.PageTable, limits.Sequences, limits.PagesPerSequence);

    public TensorSpec Spec(Tensor tensor) => graph[tensor];

    public KernelOperand Operand(Tensor tensor)
    {
        TensorSpec spec = graph[tensor];
        return spec.Role switch
        {
            TensorRole.Input => KernelOperand.At(inputs.AddressOf(tensor), spec.Rows),
            TensorRole.Resident => Resident(spec),
            TensorRole.Weight => KernelOperand.At(Weight(tensor), spec.Rows),
            TensorRole.Gradient => KernelOperand.At(Gradient(spec), spec.Rows),
            _ => KernelOperand.InArena(plan.OffsetOf(tensor), spec.Rows),
        };
    }

    public DevicePointer Weight(Tensor tensor) => Trained(graph[tensor]) ?? weights.Get(graph[tensor].Name, graph[tensor].Type);

    public DeviceMatrix EmbeddingTable(LinearWeight table) => Trained(graph[table.Elements]) is { } values
        ? new DeviceMatrix(values)
        : weights.GetTable(graph[table.Elements].Name, graph[table.Elements].Type, table.Scales is { } scales ? graph[scales].Name : null, embeddingsOnHost);

    public DevicePointer Matrix(CudaWeight weight, DType type) => weights.Get(weight, type);

    public DeviceMatrix Matrix(CudaWeight weight, WeightFormat format) => weights.Get(weight, format);

    public KernelOperand Scratch(Operation operation) => KernelOperand.InArena(plan.ScratchOf(graph.Operations.IndexOf(operation)).OffsetBytes, RowExtent.Fixed(1));

    public DeviceSpan SharedScratch(string name, long bytes) => shared.Get(name, bytes);

    public KernelCacheLayer Layer(int layer, AttentionGeometry geometry)
    {
        if (pages is null)
            throw new GraphException($"graph '{graph.Name}', layer {layer}: expected a key/value cache, found none");
        if (layer >= pages.Layout.Layers || pages.Layout.Geometry != geometry || pages.Layout.Format != (graph.Cache ?? CacheFormat.Of(storage)))
            throw new GraphException($"graph '{graph.Name}', layer {layer}: expected a cache of {graph.Cache ?? CacheFormat.Of(storage)} with this layer of {geometry}, found {pages.Layout}");
        return new KernelCacheLayer(pages.Start + (layer * pages.LayerBytes), pages.Layout.PageBytes);
    }

    public DevicePointer Rope(AttentionGeometry geometry, float theta) =>
        ropeTables.Get(limits.Positions, geometry.HeadSize, theta);

    /// <summary>Where a weight lies that is a parameter; null for others.</summary>
    /// <exception cref="GraphException">It is one, and the graph has it as frozen.</exception>
    private DevicePointer? Trained(TensorSpec spec)
    {
        if (parameters?.ValuesOf(spec.Name, spec.Shape) is not { } values)
            return null;
        return spec.Type == DType.F32 ? values : throw new GraphException($"graph '{graph.Name}', weight '{spec.Name}': expected {DType.F32}, because it is a parameter, found {spec.Type}");
    }

    private DevicePointer Gradient(TensorSpec spec) => parameters?.GradientOf(spec.Name[..^TrainingGraph.GradientName("").Length], spec.Shape)
        ?? throw new GraphException($"graph '{graph.Name}', gradient '{spec.Name}': expected a parameter of {spec.Shape}, found none");

    /// <exception cref="GraphException">There is no memory for it, or its rows have another size.</exception>
    private KernelOperand Resident(TensorSpec spec)
    {
        if (rows is null)
            throw new GraphException($"graph '{graph.Name}', resident rows '{spec.Name}': expected memory of {spec.RowElements} columns, found none");
        if (rows.Columns != spec.RowElements || spec.Type != DType.F32)
            throw new GraphException($"graph '{graph.Name}', resident rows '{spec.Name}': expected {spec.Type} of {spec.RowElements} columns, found {DType.F32} of {rows.Columns}");
        return KernelOperand.At(rows.Start, RowExtent.Fixed(rows.Rows));
    }
}

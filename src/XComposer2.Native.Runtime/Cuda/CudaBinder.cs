using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Resolves the operands of one lowered plan's operations, while it is being bound.</summary>
internal sealed class CudaBinder(ExecutionPlan plan, CudaWeights weights, CudaKeyValueMemory? pages, CudaRopeTables ropeTables, CudaInputs inputs, CudaSharedScratch shared, CudaDevice device, DType storage, bool embeddingsOnHost)
    : IKernelOperands
{
    private readonly ComputeGraph graph = plan.Graph;

    public DeviceFacts Device { get; } = DeviceFacts.Of(device);

    public KernelSequences Sequences => new(inputs.Sequences.Spans, inputs.Sequences.PageTable, inputs.Sequences.MaximumSequences);

    public TensorSpec Spec(Tensor tensor) => graph[tensor];

    public KernelOperand Operand(Tensor tensor)
    {
        TensorSpec spec = graph[tensor];
        return spec.Role == TensorRole.Input ? KernelOperand.At(inputs.AddressOf(tensor), spec.Rows) : KernelOperand.InArena(plan.OffsetOf(tensor), spec.Rows);
    }

    public DevicePointer Weight(Tensor tensor) => weights.Get(graph[tensor].Name, graph[tensor].Type);

    public DevicePointer EmbeddingTable(Tensor tensor) =>
        embeddingsOnHost ? weights.GetOnHost(graph[tensor].Name, graph[tensor].Type) : Weight(tensor);

    public DevicePointer Matrix(CudaWeight weight, DType type) => weights.Get(weight, type);

    public (DevicePointer Rows, DevicePointer Scales) Int8Matrix(CudaWeight weight, CudaWeight scale) => weights.GetInt8(weight, scale);

    public DeviceSpan SharedScratch(string name, long bytes) => shared.Get(name, bytes);

    public KernelCacheLayer Layer(int layer, AttentionGeometry geometry)
    {
        if (pages is null)
            throw new GraphException($"graph '{graph.Name}', layer {layer}: expected a key/value cache, found none");
        if (layer >= pages.Layout.Layers || pages.Layout.Geometry != geometry || pages.Layout.Type != storage)
            throw new GraphException($"graph '{graph.Name}', layer {layer}: expected a cache of {storage} with this layer of {geometry}, found {pages.Layout}");
        return new KernelCacheLayer(pages.Start + (layer * pages.LayerBytes), pages.Layout.PageBytes, pages.PageCount);
    }

    public DevicePointer Rope(AttentionGeometry geometry, float theta) =>
        ropeTables.Get(checked(pages!.PageCount * KeyValuePages.TokensPerPage), geometry.HeadSize, theta);
}

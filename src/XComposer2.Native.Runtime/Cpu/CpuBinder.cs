using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Resolves the operands of one plan's operations, while it is being bound.</summary>
internal sealed unsafe class CpuBinder(ExecutionPlan plan, IWeightSource weights, CpuKeyValueMemory? pages, RopeTables ropeTables, nint[] inputs)
{
    private readonly ComputeGraph graph = plan.Graph;

    /// <summary>An input or intermediate result.</summary>
    public CpuOperand Operand(Tensor tensor)
    {
        TensorSpec spec = graph[tensor];
        return spec.Role == TensorRole.Input
            ? CpuOperand.At((byte*)inputs[tensor.Index], spec)
            : CpuOperand.InArena(plan.OffsetOf(tensor), spec);
    }

    public CpuOperand? Operand(Tensor? tensor) => tensor is { } present ? Operand(present) : null;

    /// <summary>A weight as a matrix: [1, n] for rank 1, all but the first size multiplied for higher ranks.</summary>
    /// <exception cref="GraphException">It is missing, or not as the graph says.</exception>
    public FloatMatrix Matrix(Tensor tensor)
    {
        TensorSpec spec = graph[tensor];
        if (!weights.TryGet(spec.Name, out HostTensor weight))
            throw new GraphException($"graph '{graph.Name}', weight '{spec.Name}': expected {spec.Type} {spec.Shape}, found none");
        if (weight.Type != spec.Type || weight.Shape != spec.Shape || weight.Data == 0)
            throw new GraphException($"graph '{graph.Name}', weight '{spec.Name}': expected {spec.Type} {spec.Shape}, found {weight.Type} {weight.Shape}");
        return spec.Shape.Rank == 1
            ? new FloatMatrix(weight.Data, weight.Type, 1, spec.Shape[0])
            : new FloatMatrix(weight.Data, weight.Type, spec.Shape[0], spec.RowElements);
    }

    /// <summary>A linear's weight with the scales of its rows, which it has where it is I8.</summary>
    public FloatMatrix Matrix(Tensor tensor, Tensor? scale) => scale is { } scales ? Matrix(tensor) with { RowScales = Matrix(scales).Data } : Matrix(tensor);

    public FloatMatrix? Matrix(Tensor? tensor) => tensor is { } present ? Matrix(present) : null;

    public LoraMatrices? Lora(PartialLora? lora) => lora is null ? null : new LoraMatrices(Matrix(lora.A), Matrix(lora.B), lora.Scale);

    public Shape ShapeOf(Tensor tensor) => graph[tensor].Shape;

    public CpuScratch Scratch(int step) => new(plan.ScratchOf(step));

    /// <exception cref="GraphException">There is no cache, or it has another layout.</exception>
    public KvLayerView Layer(int layer, AttentionGeometry geometry)
    {
        if (pages is null)
            throw new GraphException($"graph '{graph.Name}', layer {layer}: expected a key/value cache, found none");
        if (layer >= pages.Layout.Layers || pages.Layout.Geometry != geometry)
            throw new GraphException($"graph '{graph.Name}', layer {layer}: expected a cache with this layer of {geometry}, found {pages.Layout}");
        return pages.Layer(layer);
    }

    /// <summary>Angles for every position that the cache can hold.</summary>
    public RopeTable Rope(AttentionGeometry geometry, float theta) =>
        ropeTables.Get(checked(pages!.PageCount * KvLayerView.PageTokens), geometry.HeadSize, theta);
}

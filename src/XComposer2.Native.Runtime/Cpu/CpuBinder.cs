using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>What the operands of a bound graph lie in, beside its own inputs and the arena.</summary>
/// <param name="Weights">Weights.</param>
/// <param name="Pages">Null where the graph has no cache.</param>
/// <param name="Rows">Null where the graph has no resident rows.</param>
/// <param name="RopeTables">Of the backend.</param>
/// <param name="Packed">Of the backend.</param>
/// <param name="Limits">Null for what the pages allow.</param>
/// <param name="Parameters">Null where the graph has no gradients.</param>
internal sealed record CpuSources(
    IWeightSource Weights, CpuKeyValueMemory? Pages, CpuRowMemory? Rows, RopeTables RopeTables, PackedWeights Packed, StepLimits? Limits, CpuParameters? Parameters = null);

/// <summary>Resolves the operands of one plan's operations, while it is being bound.</summary>
internal sealed unsafe class CpuBinder(ExecutionPlan plan, CpuSources sources, nint[] inputs)
{
    private readonly ComputeGraph graph = plan.Graph;
    private readonly CpuKeyValueMemory? pages = sources.Pages;

    /// <summary>An input or intermediate result.</summary>
    public CpuOperand Operand(Tensor tensor)
    {
        TensorSpec spec = graph[tensor];
        return spec.Role switch
        {
            TensorRole.Input => CpuOperand.At((byte*)inputs[tensor.Index], spec),
            TensorRole.Resident => Resident(spec),
            TensorRole.Gradient => Gradient(spec),
            _ => CpuOperand.InArena(plan.OffsetOf(tensor), spec),
        };
    }

    public CpuOperand? Operand(Tensor? tensor) => tensor is { } present ? Operand(present) : null;

    /// <summary>A weight as a matrix: [1, n] for rank 1, all but the first size multiplied for higher ranks.</summary>
    /// <exception cref="GraphException">It is missing, or not as the graph says.</exception>
    public FloatMatrix Matrix(Tensor tensor)
    {
        TensorSpec spec = graph[tensor];
        return spec.Shape.Rank == 1
            ? new FloatMatrix(Address(tensor), spec.Type, 1, spec.Shape[0])
            : new FloatMatrix(Address(tensor), spec.Type, spec.Shape[0], spec.RowElements);
    }

    /// <summary>A linear's weight, in the format that the graph states.</summary>
    /// <exception cref="GraphException">A part is missing, not as the graph says, or names groups that there are not.</exception>
    public WeightMatrix Matrix(LinearWeight weight)
    {
        TensorSpec spec = graph[weight.Elements];
        bool isPacked = sources.Packed.Takes(weight.Format);
        if (isPacked && sources.Packed.TryGet(sources.Weights, spec.Name, out WeightMatrix found) && found.Format == weight.Format && (found.Rows, found.Columns) == (spec.Shape[0], spec.Shape[1]))
            return found;
        var matrix = new WeightMatrix(weight.Format, spec.Shape[0], spec.Shape[1], Address(weight.Elements), Address(weight.Scales), Address(weight.ZeroPoints), Address(weight.GroupIndex));
        if (weight.GroupIndex is { } index)
            RequireGroups(graph[index], (int*)matrix.GroupIndex, weight.Format.Groups(spec.Shape[1]));
        return isPacked ? sources.Packed.Pack(sources.Weights, spec.Name, matrix) : matrix;
    }

    /// <summary>A table whose rows are looked up, where it lies.</summary>
    /// <exception cref="GraphException">A part is missing, or not as the graph says.</exception>
    public WeightMatrix Table(LinearWeight table)
    {
        Shape shape = graph[table.Elements].Shape;
        return new WeightMatrix(table.Format, shape[0], shape[1], Address(table.Elements), Address(table.Scales));
    }

    public FloatMatrix? Matrix(Tensor? tensor) => tensor is { } present ? Matrix(present) : null;

    public LoraMatrices? Lora(PartialLora? lora) => lora is null ? null : new LoraMatrices(Matrix(lora.A), Matrix(lora.B), lora.Scale);

    /// <inheritdoc cref="ComputeGraph.HasFreeSums"/>
    public bool HasFreeSums => graph.HasFreeSums;

    public Shape ShapeOf(Tensor tensor) => graph[tensor].Shape;

    public TensorRole RoleOf(Tensor tensor) => graph[tensor].Role;

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

    /// <summary>Angles for every position that a sequence can have.</summary>
    public RopeTable Rope(AttentionGeometry geometry, float theta) =>
        Rope(geometry, theta, Math.Min(sources.Limits?.Positions ?? int.MaxValue, checked(pages!.PageCount * KvLayerView.PageTokens)));

    /// <summary>Angles for so many positions.</summary>
    public RopeTable Rope(AttentionGeometry geometry, float theta, int positions) => sources.RopeTables.Get(positions, geometry.HeadSize, theta);

    private nint Address(Tensor? tensor)
    {
        if (tensor is not { } present)
            return 0;
        TensorSpec spec = graph[present];
        if (!sources.Weights.TryGet(spec.Name, out HostTensor weight))
            throw new GraphException($"graph '{graph.Name}', weight '{spec.Name}': expected {spec.Type} {spec.Shape}, found none");
        if (weight.Type != spec.Type || weight.Shape != spec.Shape || weight.Data == 0)
            throw new GraphException($"graph '{graph.Name}', weight '{spec.Name}': expected {spec.Type} {spec.Shape}, found {weight.Type} {weight.Shape}");
        return weight.Data;
    }

    /// <exception cref="GraphException">There is no such parameter, or it has another shape.</exception>
    private CpuOperand Gradient(TensorSpec spec)
    {
        string weight = spec.Name[..^TrainingGraph.GradientName("").Length];
        float* address = sources.Parameters is { } parameters ? parameters.GradientOf(weight, spec.Shape) : null;
        return address is null
            ? throw new GraphException($"graph '{graph.Name}', gradient '{spec.Name}': expected a parameter '{weight}' of {spec.Shape}, found none")
            : CpuOperand.At((byte*)address, spec);
    }

    private void RequireGroups(TensorSpec spec, int* index, int groups)
    {
        for (int column = 0; column < spec.Shape[0]; column++)
            if ((uint)index[column] >= (uint)groups)
                throw new GraphException($"graph '{graph.Name}', weight '{spec.Name}': expected groups of 0 to {groups - 1}, found {index[column]} for column {column}");
    }

    /// <exception cref="GraphException">There is no memory for it, or its rows have another size.</exception>
    private CpuOperand Resident(TensorSpec spec)
    {
        if (sources.Rows is not { } rows)
            throw new GraphException($"graph '{graph.Name}', resident rows '{spec.Name}': expected memory of {spec.RowElements} columns, found none");
        if (rows.Columns != spec.RowElements || spec.Type != DType.F32)
            throw new GraphException($"graph '{graph.Name}', resident rows '{spec.Name}': expected {spec.Type} of {spec.RowElements} columns, found {DType.F32} of {rows.Columns}");
        return CpuOperand.At((byte*)rows.Start, spec with { Rows = RowExtent.Fixed(rows.Rows) });
    }
}

/// <summary>An input or intermediate result: where it lies and how its rows are counted.</summary>
internal readonly unsafe struct CpuOperand
{
    private readonly byte* fixedAddress;
    private readonly long arenaOffsetBytes;
    private readonly RowExtent rows;

    private CpuOperand(byte* fixedAddress, long arenaOffsetBytes, RowExtent rows, int columns)
    {
        this.fixedAddress = fixedAddress;
        this.arenaOffsetBytes = arenaOffsetBytes;
        this.rows = rows;
        Columns = columns;
    }

    /// <summary>Elements of one row.</summary>
    public int Columns { get; }

    public static CpuOperand InArena(long offsetBytes, TensorSpec spec) => new(null, offsetBytes, spec.Rows, spec.RowElements);

    public static CpuOperand At(byte* address, TensorSpec spec) => new(address, 0, spec.Rows, spec.RowElements);

    public float* Floats(in CpuRun run) => (float*)Address(run);

    public int* Integers(in CpuRun run) => (int*)Address(run);

    /// <summary>Rows of this run.</summary>
    public int Rows(in CpuRun run) => run.Counts.Resolve(rows);

    private byte* Address(in CpuRun run) => fixedAddress is null ? run.Arena + arenaOffsetBytes : fixedAddress;
}

/// <summary>Scratch of one operation in the arena.</summary>
internal readonly unsafe struct CpuScratch(ArenaSlot slot)
{
    public long Bytes => slot.Bytes;

    public void* Address(in CpuRun run) => slot.Bytes == 0 ? null : run.Arena + slot.OffsetBytes;
}

/// <summary>Rotary tables, each made once and shared by the layers and graphs of a backend.</summary>
internal sealed class RopeTables
{
    private readonly Dictionary<(int Positions, int HeadSize, float Theta), RopeTable> tables = [];

    public RopeTable Get(int positions, int headSize, float theta)
    {
        if (!tables.TryGetValue((positions, headSize, theta), out RopeTable? table))
            tables.Add((positions, headSize, theta), table = new RopeTable(positions, headSize, theta));
        return table;
    }
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Resolves the operands of one lowered plan's operations, while it is being bound.</summary>
internal sealed class CudaBinder(ExecutionPlan plan, CudaWeights weights, CudaKeyValueMemory? pages, CudaRopeTables ropeTables, CudaInputs inputs, CudaSharedScratch shared, CudaDevice device, DType storage, bool embeddingsOnHost)
{
    private readonly ComputeGraph graph = plan.Graph;

    public CudaDevice Device => device;

    /// <summary>Type of weights and of activations outside of the residual stream.</summary>
    public KernelStorage Storage { get; } = KernelStorageOf(storage);

    /// <summary>The graph is one of generated tokens.</summary>
    public bool IsDecode { get; } = CudaLowering.IsDecode(plan.Graph);

    /// <summary>Where the step's sequences are described on the device.</summary>
    public CudaSequences Sequences => inputs.Sequences;

    public static KernelStorage KernelStorageOf(DType type) => type switch
    {
        DType.F32 => KernelStorage.F32,
        DType.F16 => KernelStorage.F16,
        DType.BF16 => KernelStorage.BF16,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "expected a floating type"),
    };

    /// <summary>An input or intermediate result.</summary>
    public CudaOperand Operand(Tensor tensor)
    {
        TensorSpec spec = graph[tensor];
        return spec.Role == TensorRole.Input ? CudaOperand.At(inputs.AddressOf(tensor), spec) : CudaOperand.InArena(plan.OffsetOf(tensor), spec);
    }

    public CudaOperand? Operand(Tensor? tensor) => tensor is { } present ? Operand(present) : null;

    /// <summary>Type in which a result is stored.</summary>
    public KernelStorage StorageOf(Tensor tensor) => KernelStorageOf(graph[tensor].Type);

    public TensorSpec Spec(Tensor tensor) => graph[tensor];

    /// <summary>A matrix of a linear in the storage type.</summary>
    public DevicePointer Matrix(CudaWeight weight) => weights.Get(weight, storage);

    /// <summary>A matrix of a linear as 8-bit integers, and the scales of its rows.</summary>
    public (DevicePointer Rows, DevicePointer Scales) Int8Matrix(CudaWeight weight, CudaWeight scale) => weights.GetInt8(weight, scale);

    /// <summary>Rows and columns of a matrix.</summary>
    public (int Rows, int Columns) SizeOf(CudaWeight weight) => weights.SizeOf(weight);

    /// <summary>A weight that is still a tensor of the graph, in the storage type.</summary>
    public DevicePointer Weight(Tensor tensor) => weights.Get(graph[tensor].Name, storage);

    /// <summary>The table of token embeddings, which may have stayed in host memory.</summary>
    public DevicePointer EmbeddingTable(Tensor tensor) =>
        embeddingsOnHost ? weights.GetOnHost(graph[tensor].Name, storage) : Weight(tensor);

    /// <summary>The same in F32.</summary>
    public DevicePointer FloatWeight(Tensor tensor) => weights.Get(graph[tensor].Name, DType.F32);

    /// <summary>Memory that all steps of this graph with the same name share and that keeps its contents from run to run; zero at first.</summary>
    public DeviceSpan SharedScratch(string name, long bytes) => shared.Get(name, bytes);

    /// <summary>One layer of the cache.</summary>
    /// <exception cref="GraphException">There is none, or it has another layout.</exception>
    public CudaCacheLayer Layer(int layer, AttentionGeometry geometry)
    {
        if (pages is null)
            throw new GraphException($"graph '{graph.Name}', layer {layer}: expected a key/value cache, found none");
        if (layer >= pages.Layout.Layers || pages.Layout.Geometry != geometry || pages.Layout.Format != CacheFormat.Of(storage))
            throw new GraphException($"graph '{graph.Name}', layer {layer}: expected a cache of {storage} with this layer of {geometry}, found {pages.Layout}");
        return new CudaCacheLayer(pages.Start + (layer * pages.LayerBytes), pages.Layout.PageBytes, pages.PageCount);
    }

    /// <summary>Angles for every position that the cache can hold: [positions, d / 2] pairs of cosine and sine.</summary>
    public DevicePointer Rope(AttentionGeometry geometry, float theta) =>
        ropeTables.Get(checked(pages!.PageCount * KeyValuePages.TokensPerPage), geometry.HeadSize, theta);
}

/// <summary>An input or intermediate result: where it lies and how its rows are counted.</summary>
internal readonly struct CudaOperand
{
    private readonly DevicePointer fixedAddress;
    private readonly long arenaOffsetBytes;
    private readonly RowExtent rows;

    private CudaOperand(DevicePointer fixedAddress, long arenaOffsetBytes, TensorSpec spec)
    {
        this.fixedAddress = fixedAddress;
        this.arenaOffsetBytes = arenaOffsetBytes;
        rows = spec.Rows;
        Columns = spec.RowElements;
        Type = spec.Type;
    }

    /// <summary>Elements of one row.</summary>
    public int Columns { get; }

    public DType Type { get; }

    public static CudaOperand InArena(long offsetBytes, TensorSpec spec) => new(default, offsetBytes, spec);

    public static CudaOperand At(DevicePointer address, TensorSpec spec) => new(address, 0, spec);

    public DevicePointer Pointer(in CudaRun run) => fixedAddress.Address == 0 ? run.Arena + arenaOffsetBytes : fixedAddress;

    /// <summary>Rows of this run.</summary>
    public int Rows(in CudaRun run) => run.Counts.Resolve(rows);
}

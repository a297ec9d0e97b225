using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A kernel that runs an operation of a lowered graph: it finds its operands itself and makes its own argument.</summary>
public abstract record OperationKernel : KernelDefinition
{
    /// <summary>Resolves the operands of an operation, once. What is returned looks nothing up and allocates nothing.</summary>
    /// <param name="operation">One that <see cref="KernelChoice"/> gives this kernel for.</param>
    /// <param name="operands">Of the graph that it belongs to.</param>
    public abstract KernelLaunch Bind(Operation operation, IKernelOperands operands);
}

/// <summary>A kernel of one kind of operation.</summary>
public abstract record OperationKernel<TOperation> : OperationKernel
    where TOperation : Operation
{
    public sealed override KernelLaunch Bind(Operation operation, IKernelOperands operands)
    {
        ArgumentNullException.ThrowIfNull(operands);
        return operation is TOperation mine
            ? Resolve(mine, operands)
            : throw new ArgumentException($"{Entry} runs {typeof(TOperation).Name}, found {operation?.Name}", nameof(operation));
    }

    /// <inheritdoc cref="OperationKernel.Bind"/>
    protected abstract KernelLaunch Resolve(TOperation operation, IKernelOperands operands);
}

/// <summary>Queues a bound kernel for one run that has at least one row of the operation's result.</summary>
/// <param name="kernel">The definition, compiled and loaded.</param>
/// <param name="run">Counts and places of this run.</param>
public delegate void KernelLaunch(CudaKernel kernel, in KernelRun run);

/// <summary>Where a lowered graph's tensors, weights and cache lie on the device, found while the graph is being bound.</summary>
public interface IKernelOperands
{
    /// <summary>Of the device, for tensor maps.</summary>
    CudaContext Context { get; }

    /// <summary>What decides grids that are fixed while binding.</summary>
    DeviceFacts Device { get; }

    /// <summary>The sequences of a step.</summary>
    KernelSequences Sequences { get; }

    TensorSpec Spec(Tensor tensor);

    /// <summary>An input or intermediate result.</summary>
    KernelOperand Operand(Tensor tensor);

    /// <summary>The same; null where there is none.</summary>
    KernelOperand? Operand(Tensor? tensor) => tensor is { } present ? Operand(present) : null;

    /// <summary>A weight that is a tensor of the lowered graph, in the type that the graph states.</summary>
    DevicePointer Weight(Tensor tensor);

    /// <summary>The table of token embeddings, its rows as stored, which may have stayed in host memory; scales of its rows are on the device.</summary>
    DeviceMatrix EmbeddingTable(LinearWeight table);

    /// <summary>A matrix or vector of floating numbers that belongs to a linear.</summary>
    DevicePointer Matrix(CudaWeight weight, DType type);

    /// <summary>The weight of a linear, with all parts of its format.</summary>
    DeviceMatrix Matrix(CudaWeight weight, WeightFormat format);

    /// <summary>One layer of the cache.</summary>
    /// <exception cref="GraphException">There is none, or it has another layout.</exception>
    KernelCacheLayer Layer(int layer, AttentionGeometry geometry);

    /// <summary>Angles for every position that a sequence can have: [positions, head size / 2] pairs of cosine and sine.</summary>
    DevicePointer Rope(AttentionGeometry geometry, float theta);

    /// <summary>Scratch of an operation in the arena (<see cref="KernelChoice.ScratchBytes"/>), which is its own while it runs.</summary>
    KernelOperand Scratch(Operation operation);

    /// <summary>Memory that all operations of the graph with the same name share and that keeps its contents from run to run; zero at first.</summary>
    DeviceSpan SharedScratch(string name, long bytes);
}

/// <summary>An input or intermediate result: where it lies and how its rows are counted.</summary>
public readonly struct KernelOperand
{
    private readonly DevicePointer fixedAddress;
    private readonly long arenaOffsetBytes;
    private readonly RowExtent rows;

    private KernelOperand(DevicePointer fixedAddress, long arenaOffsetBytes, RowExtent rows)
    {
        this.fixedAddress = fixedAddress;
        this.arenaOffsetBytes = arenaOffsetBytes;
        this.rows = rows;
    }

    public static KernelOperand InArena(long offsetBytes, RowExtent rows) => new(default, offsetBytes, rows);

    public static KernelOperand At(DevicePointer address, RowExtent rows) => new(address, 0, rows);

    /// <summary>The first row in this run.</summary>
    public DevicePointer Pointer(in KernelRun run) => fixedAddress.Address == 0 ? run.Arena + arenaOffsetBytes : fixedAddress;

    /// <summary>Rows of this run.</summary>
    public int Rows(in KernelRun run) => run.Counts.Resolve(rows);
}

/// <summary>An operand that may be absent.</summary>
public static class KernelOperandExtensions
{
    /// <summary>The first row in this run; null where there is no operand.</summary>
    public static DevicePointer Pointer(this KernelOperand? operand, in KernelRun run) => operand is { } present ? present.Pointer(run) : default;
}

/// <summary>What the launches of one run have in common.</summary>
public readonly struct KernelRun(CudaStream stream, DevicePointer arena, RowCounts counts, int sequences)
{
    public CudaStream Stream { get; } = stream;

    public DevicePointer Arena { get; } = arena;

    public RowCounts Counts { get; } = counts;

    /// <summary>Sequences of the step.</summary>
    public int Sequences { get; } = sequences;
}

/// <summary>One layer's part of the cache.</summary>
/// <param name="Start">In physical page 0.</param>
/// <param name="PageBytes">From one page to the next.</param>
public readonly record struct KernelCacheLayer(DevicePointer Start, long PageBytes);

/// <summary>Where the sequences of a step are described on the device.</summary>
/// <param name="Spans"><see cref="SequenceSpan"/>[sequences].</param>
/// <param name="PageTable">I32: physical pages.</param>
/// <param name="Maximum">Sequences of one step at most.</param>
/// <param name="MaximumPages">Of one sequence.</param>
public readonly record struct KernelSequences(DevicePointer Spans, DevicePointer PageTable, int Maximum, int MaximumPages);

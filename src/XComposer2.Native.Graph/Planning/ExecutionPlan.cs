using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>A graph and where everything it makes lies in one arena. Made by <see cref="MemoryPlanner"/>, immutable, valid for any counts up to the graph's capacity.</summary>
public sealed class ExecutionPlan
{
    private readonly ImmutableArray<ArenaSlot> tensors;
    private readonly ImmutableArray<ArenaSlot> scratch;

    internal ExecutionPlan(
        ComputeGraph graph,
        Liveness liveness,
        ImmutableArray<ArenaSlot> tensors,
        ImmutableArray<ArenaSlot> scratch,
        long arenaBytes,
        long lowerBoundBytes,
        int peakStep)
    {
        Graph = graph;
        Liveness = liveness;
        this.tensors = tensors;
        this.scratch = scratch;
        ArenaBytes = arenaBytes;
        LowerBoundBytes = lowerBoundBytes;
        PeakStep = peakStep;
    }

    public ComputeGraph Graph { get; }

    public Liveness Liveness { get; }

    /// <summary>Size of the arena. Its start must be aligned to <see cref="MemoryPlanner.AlignmentBytes"/>.</summary>
    public long ArenaBytes { get; }

    /// <summary>Most bytes live at one step, each buffer rounded up to the alignment: no plan of this graph can be smaller.</summary>
    public long LowerBoundBytes { get; }

    /// <summary>First step at which <see cref="LowerBoundBytes"/> are live.</summary>
    public int PeakStep { get; }

    /// <summary>Bytes from the start of the arena.</summary>
    /// <exception cref="ArgumentException">The tensor is an input or a weight, which live elsewhere.</exception>
    public long OffsetOf(Tensor tensor) => SlotOf(tensor).OffsetBytes;

    /// <summary>Place and size, at capacity, of a temporary or output.</summary>
    /// <exception cref="ArgumentException">The tensor is an input or a weight, which live elsewhere.</exception>
    public ArenaSlot SlotOf(Tensor tensor)
    {
        TensorSpec spec = Graph[tensor];
        return spec.Role is TensorRole.Temporary or TensorRole.Output
            ? tensors[tensor.Index]
            : throw new ArgumentException($"graph '{Graph.Name}', tensor '{spec.Name}': role {spec.Role} has no place in the arena", nameof(tensor));
    }

    /// <summary>Scratch of the operation at this step, its own only while it runs; 0 bytes where it asked for none.</summary>
    public ArenaSlot ScratchOf(int step) => scratch[step];
}

/// <summary>Part of the arena. <paramref name="Bytes"/> 0 means that there is none; the offset says nothing then.</summary>
public readonly record struct ArenaSlot(long OffsetBytes, long Bytes)
{
    /// <summary>First byte after the slot.</summary>
    public long EndBytes => OffsetBytes + Bytes;
}

using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>A graph with the arena offsets of its temporaries and outputs. Made by <see cref="MemoryPlanner"/>, immutable, valid for all counts up to the graph's capacity.</summary>
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

    /// <summary>Size of the arena. The arena must be aligned to <see cref="MemoryPlanner.AlignmentBytes"/>.</summary>
    public long ArenaBytes { get; }

    /// <summary>Maximum of the bytes live at one step, with aligned buffer sizes: a lower bound for every plan of this graph.</summary>
    public long LowerBoundBytes { get; }

    /// <summary>First step with <see cref="LowerBoundBytes"/> live bytes.</summary>
    public int PeakStep { get; }

    /// <summary>Offset in the arena in bytes.</summary>
    /// <exception cref="ArgumentException">The tensor is an input, a weight or a gradient, which are not in the arena.</exception>
    public long OffsetOf(Tensor tensor) => SlotOf(tensor).OffsetBytes;

    /// <summary>Offset and size, at capacity, of a temporary or output.</summary>
    /// <exception cref="ArgumentException">The tensor is an input, a weight or a gradient, which are not in the arena.</exception>
    public ArenaSlot SlotOf(Tensor tensor)
    {
        TensorSpec spec = Graph[tensor];
        return spec.Role is TensorRole.Temporary or TensorRole.Output
            ? tensors[tensor.Index]
            : throw new ArgumentException($"graph '{Graph.Name}', tensor '{spec.Name}': role {spec.Role} has no place in the arena", nameof(tensor));
    }

    /// <summary>Scratch of the operation at this step, valid only while it runs; 0 bytes if it has none.</summary>
    public ArenaSlot ScratchOf(int step) => scratch[step];
}

/// <summary>A part of the arena. If <paramref name="Bytes"/> is 0, the slot is empty and the offset has no meaning.</summary>
public readonly record struct ArenaSlot(long OffsetBytes, long Bytes)
{
    /// <summary>First byte after the slot.</summary>
    public long EndBytes => OffsetBytes + Bytes;
}

using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Assigns each result of a graph, and each operation's scratch, an arena offset. Buffers live at the same step do not overlap.</summary>
public static class MemoryPlanner
{
    /// <summary>Alignment of all offsets: that of a device allocation, sufficient for vector loads, cache lines and 128-byte tiles on any backend.</summary>
    public const int AlignmentBytes = 256;

    /// <param name="graph">Planned at its capacity; the plan is valid for all smaller counts.</param>
    /// <param name="scratchBytes">Returns the scratch size of an operation in bytes; 0 for none.</param>
    /// <exception cref="GraphException">A tensor is read before it is written, a scratch size is negative, or the arena size exceeds 63 bits.</exception>
    public static ExecutionPlan Plan(ComputeGraph graph, Func<Operation, long>? scratchBytes = null)
    {
        Liveness liveness = Liveness.Of(graph);
        try
        {
            return Plan(graph, liveness, ScratchOf(graph, scratchBytes));
        }
        catch (OverflowException overflow)
        {
            throw new GraphException($"graph '{graph.Name}': the arena size at {graph.Capacity} exceeds 63 bits", overflow);
        }
    }

    /// <summary>Rounds up to <see cref="AlignmentBytes"/>.</summary>
    /// <exception cref="OverflowException">The result exceeds 63 bits.</exception>
    public static long Align(long bytes) => checked(bytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;

    private static ImmutableArray<ArenaRequest> Requests(ComputeGraph graph, Liveness liveness, ImmutableArray<long> scratchBytes)
    {
        var requests = ImmutableArray.CreateBuilder<ArenaRequest>();
        for (int step = 0; step < graph.Operations.Length; step++)
        {
            Tensor output = graph.Operations[step].Output;
            requests.Add(liveness[output] is { } live && live.First == step ? new ArenaRequest(Align(graph[output].CapacityBytes), live) : new ArenaRequest(0, new LiveRange(step, step)));
            requests.Add(new ArenaRequest(Align(scratchBytes[step]), new LiveRange(step, step)));
        }

        return requests.DrainToImmutable();
    }

    private static ExecutionPlan Plan(ComputeGraph graph, Liveness liveness, ImmutableArray<long> scratchBytes)
    {
        ImmutableArray<ArenaRequest> requests = Requests(graph, liveness, scratchBytes);
        (long lowerBoundBytes, int peakStep) = Peak(requests, graph.Operations.Length);
        ArenaPlacement placement = Best(requests, lowerBoundBytes);

        var tensors = new ArenaSlot[graph.Tensors.Length];
        var scratch = new ArenaSlot[graph.Operations.Length];
        for (int step = 0; step < scratch.Length; step++)
        {
            Tensor output = graph.Operations[step].Output;
            if (liveness[output] is { } live && live.First == step)
                tensors[output.Index] = new ArenaSlot(placement[2 * step], graph[output].CapacityBytes);
            if (scratchBytes[step] > 0)
                scratch[step] = new ArenaSlot(placement[(2 * step) + 1], scratchBytes[step]);
        }

        return new ExecutionPlan(graph, liveness, [.. tensors], [.. scratch], placement.ArenaBytes, lowerBoundBytes, peakStep);
    }

    // Ordering by size reaches the lower bound for the published models; ordering by lifetime is often better for irregular graphs with scratch.
    private static ArenaPlacement Best(ImmutableArray<ArenaRequest> requests, long lowerBoundBytes)
    {
        ArenaPlacement bySize = ArenaPlacement.Place(requests.AsSpan(), PlacementOrder.BySize);
        if (bySize.ArenaBytes == lowerBoundBytes)
            return bySize;
        ArenaPlacement byLifetime = ArenaPlacement.Place(requests.AsSpan(), PlacementOrder.ByLifetime);
        return byLifetime.ArenaBytes < bySize.ArenaBytes ? byLifetime : bySize;
    }

    private static (long Bytes, int Step) Peak(ImmutableArray<ArenaRequest> requests, int steps)
    {
        var change = new long[steps + 1];
        foreach (ArenaRequest request in requests)
        {
            checked
            {
                change[request.Live.First] += request.Bytes;
                change[request.Live.Last + 1] -= request.Bytes;
            }
        }

        (long live, long peakBytes, int peakStep) = (0, 0, 0);
        for (int step = 0; step < steps; step++)
        {
            live = checked(live + change[step]);
            if (live > peakBytes)
                (peakBytes, peakStep) = (live, step);
        }

        return (peakBytes, peakStep);
    }

    private static ImmutableArray<long> ScratchOf(ComputeGraph graph, Func<Operation, long>? scratchBytes)
    {
        var scratch = ImmutableArray.CreateBuilder<long>(graph.Operations.Length);
        foreach (Operation operation in graph.Operations)
        {
            long bytes = scratchBytes is null ? 0 : scratchBytes(operation);
            if (bytes < 0)
                throw new GraphException($"graph '{graph.Name}', {operation.Name} '{graph[operation.Output].Name}': expected a scratch size of 0 or more, found {bytes}");
            scratch.Add(bytes);
        }

        return scratch.MoveToImmutable();
    }
}

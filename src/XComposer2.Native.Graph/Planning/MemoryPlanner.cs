using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Gives every result of a graph, and the scratch of its operations, an offset in one arena, so that no two buffers that are live at the same step overlap.</summary>
public static class MemoryPlanner
{
    /// <summary>Every offset is a multiple of this: a device allocation's own alignment, and enough for any vector load, cache line or 128-byte tile on any backend.</summary>
    public const int AlignmentBytes = 256;

    /// <param name="graph">Planned at its capacity; good for every smaller count.</param>
    /// <param name="scratchBytes">Bytes that a backend wants beside the tensors while an operation runs; 0 for none.</param>
    /// <exception cref="GraphException">The graph reads what was not written, scratch is negative, or the sizes add up beyond 63 bits.</exception>
    public static ExecutionPlan Plan(ComputeGraph graph, Func<Operation, long>? scratchBytes = null)
    {
        Liveness liveness = Liveness.Of(graph);
        try
        {
            return Plan(graph, liveness, ScratchOf(graph, scratchBytes));
        }
        catch (OverflowException overflow)
        {
            throw new GraphException($"graph '{graph.Name}': the arena at {graph.Capacity} is beyond what can be counted", overflow);
        }
    }

    /// <summary>Rounded up to <see cref="AlignmentBytes"/>.</summary>
    /// <exception cref="OverflowException">Beyond 63 bits.</exception>
    public static long Align(long bytes) => checked(bytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;

    private static ImmutableArray<ArenaRequest> Requests(ComputeGraph graph, Liveness liveness, ImmutableArray<long> scratchBytes)
    {
        var requests = ImmutableArray.CreateBuilder<ArenaRequest>();
        for (int step = 0; step < graph.Operations.Length; step++)
        {
            Tensor output = graph.Operations[step].Output;
            requests.Add(new ArenaRequest(Align(graph[output].CapacityBytes), liveness[output]!.Value));
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
            tensors[output.Index] = new ArenaSlot(placement[2 * step], graph[output].CapacityBytes);
            if (scratchBytes[step] > 0)
                scratch[step] = new ArenaSlot(placement[(2 * step) + 1], scratchBytes[step]);
        }

        return new ExecutionPlan(graph, liveness, [.. tensors], [.. scratch], placement.ArenaBytes, lowerBoundBytes, peakStep);
    }

    // By size reaches the lower bound on the published models' graphs; by lifetime is often the better one on odd graphs with scratch.
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
                throw new GraphException($"graph '{graph.Name}', {operation.Name} '{graph[operation.Output].Name}': expected scratch of 0 bytes or more, found {bytes}");
            scratch.Add(bytes);
        }

        return scratch.MoveToImmutable();
    }
}

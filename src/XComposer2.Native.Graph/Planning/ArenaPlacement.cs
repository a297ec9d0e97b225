namespace XComposer2.Native.Graph;

/// <summary>Greedy best fit: places buffers in the given order, each in the smallest sufficient gap between placed buffers with overlapping lifetimes.</summary>
internal sealed class ArenaPlacement
{
    private readonly long[] offsets;

    private ArenaPlacement(long[] offsets, long arenaBytes)
    {
        this.offsets = offsets;
        ArenaBytes = arenaBytes;
    }

    public long ArenaBytes { get; }

    /// <summary>Offset of the request at this index.</summary>
    public long this[int request] => offsets[request];

    /// <exception cref="OverflowException">The arena size exceeds 64 bits.</exception>
    public static ArenaPlacement Place(ReadOnlySpan<ArenaRequest> requests, PlacementOrder order)
    {
        var offsets = new long[requests.Length];
        var placedByOffset = new List<int>(requests.Length);
        long arenaBytes = 0;
        foreach (int request in Sorted(requests, order))
        {
            offsets[request] = BestFit(requests, offsets, placedByOffset, requests[request]);
            arenaBytes = Math.Max(arenaBytes, checked(offsets[request] + requests[request].Bytes));
            int position = placedByOffset.FindIndex(placed => offsets[placed] > offsets[request]);
            placedByOffset.Insert(position < 0 ? placedByOffset.Count : position, request);
        }

        return new ArenaPlacement(offsets, arenaBytes);
    }

    private static long BestFit(ReadOnlySpan<ArenaRequest> requests, long[] offsets, List<int> placedByOffset, ArenaRequest wanted)
    {
        long occupiedEnd = 0;
        long bestOffset = -1;
        long bestGap = long.MaxValue;
        foreach (int placed in placedByOffset)
        {
            if (!requests[placed].Live.Overlaps(wanted.Live))
                continue;
            long gap = offsets[placed] - occupiedEnd;
            if (gap >= wanted.Bytes && gap < bestGap)
                (bestOffset, bestGap) = (occupiedEnd, gap);
            occupiedEnd = Math.Max(occupiedEnd, offsets[placed] + requests[placed].Bytes);
        }

        return bestOffset >= 0 ? bestOffset : occupiedEnd;
    }

    private static int[] Sorted(ReadOnlySpan<ArenaRequest> requests, PlacementOrder order)
    {
        var keys = new (long Major, long Minor, int Request)[requests.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            ArenaRequest request = requests[i];
            keys[i] = order == PlacementOrder.BySize
                ? (-request.Bytes, -request.Live.Steps, i)
                : (-request.Live.Steps, -request.Bytes, i);
        }

        Array.Sort(keys);
        return Array.ConvertAll(keys, key => key.Request);
    }
}

/// <summary>A buffer to place: its aligned size and its lifetime.</summary>
internal sealed record ArenaRequest(long Bytes, LiveRange Live);

/// <summary>Order of the greedy placement. Ties keep the order of the operations, so that plans are reproducible.</summary>
internal enum PlacementOrder : byte
{
    /// <summary>Largest first: small buffers fill the gaps between large ones.</summary>
    BySize,

    /// <summary>Longest lifetime first: the residual stream and outputs are placed at the bottom.</summary>
    ByLifetime,
}

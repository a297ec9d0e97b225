using System.Collections.Immutable;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Chooses the tile of a product: the one that keeps most of the device's arithmetic busy with wanted results.</summary>
/// <remarks>
/// Blocks that share a multiprocessor share its tensor cores, so the multiprocessor is the unit: a product takes waves x tile, and the smallest such area is the
/// fastest. A tile's own worth is how much of its time its tensor cores are busy, relative to the best tile of that generation: small warp tiles read
/// more shared memory for the same product, which matters little where tensor cores are slow beside it (sm_86, sm_89) and much where they are fast.
/// </remarks>
public static class LinearTiles
{
    // Rows of the smallest tile, within which no choice changes; and more multiprocessors than any card has.
    private const int LeastRows = 64, MostMultiprocessors = 256;

    /// <summary>The tile for a linear.</summary>
    /// <param name="device">Generation and multiprocessors.</param>
    /// <param name="storage">F32 has one tile.</param>
    /// <param name="rows">Rows of the step.</param>
    /// <param name="columns">Rows of the weights.</param>
    /// <param name="hasLora">The same sums take in Partial LoRA.</param>
    public static PrefillTile Choose(DeviceFacts device, DType storage, int rows, int columns, bool hasLora)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(device.Multiprocessors, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (storage == DType.F32) return PrefillTile.Plain;
        ImmutableArray<WeighedTile> tiles = SetOf(device.Capability).For(hasLora);
        WeighedTile best = tiles[0];
        foreach (WeighedTile candidate in tiles)
            if (candidate.Cost(device, rows, columns) < best.Cost(device, rows, columns))
                best = candidate;
        return best.Tile;
    }

    /// <summary>Every tile of the generation.</summary>
    public static IEnumerable<PrefillTile> Candidates(ComputeCapability capability, DType storage, bool hasLora) =>
        storage == DType.F32 ? [PrefillTile.Plain] : SetOf(capability).For(hasLora).Select(candidate => candidate.Tile);

    /// <summary>Those of them that a card of some number of multiprocessors is given for some number of rows: small products never take large tiles.</summary>
    /// <param name="capability">The generation.</param>
    /// <param name="storage">F32 has one tile.</param>
    /// <param name="unit">Rows come in multiples of so many.</param>
    /// <param name="capacity">The most rows.</param>
    /// <param name="columns">Rows of the weights.</param>
    /// <param name="hasLora">The same sums take in Partial LoRA.</param>
    public static IEnumerable<PrefillTile> Candidates(ComputeCapability capability, DType storage, int unit, int capacity, int columns, bool hasLora)
    {
        PrefillTile[] all = [.. Candidates(capability, storage, hasLora)];
        HashSet<PrefillTile> chosen = [];
        int step = Math.Max(unit, LeastRows);
        for (int first = 0; first < capacity && chosen.Count < all.Length; first += step)
            for (int count = 1; count <= MostMultiprocessors && chosen.Count < all.Length; count++)
                chosen.Add(Choose(new DeviceFacts(capability, count), storage, Math.Min(first + step, capacity), columns, hasLora));
        return all.Where(chosen.Contains);
    }

    /// <summary>The tile for the lower half of Partial LoRA, whose products have few columns.</summary>
    public static PrefillTile ChooseForLora(ComputeCapability capability, DType storage) => storage == DType.F32 ? PrefillTile.Plain : SetOf(capability).LoraDown;

    private static TileSet SetOf(ComputeCapability capability) => capability switch
    {
        { Number: < 80 } => Sm75Tiles.Set,
        { Major: 8, Minor: > 0 } or { Major: >= 12 } => Sm86Tiles.Set,
        _ => Sm80Tiles.Set,
    };
}

/// <summary>Tiles of a generation, the widest first.</summary>
/// <param name="Plain">For linears without Partial LoRA.</param>
/// <param name="WithLora">For linears with it.</param>
/// <param name="LoraDown">For its lower half.</param>
internal sealed record TileSet(ImmutableArray<WeighedTile> Plain, ImmutableArray<WeighedTile> WithLora, PrefillTile LoraDown)
{
    public ImmutableArray<WeighedTile> For(bool hasLora) => hasLora ? WithLora : Plain;
}

/// <summary>A tile and its worth, 1 for the best of its generation.</summary>
internal readonly record struct WeighedTile(PrefillTile Tile, double Worth)
{
    /// <summary>What a multiprocessor computes, wanted or not, in elements of the best tile's time.</summary>
    public double Cost(DeviceFacts device, int rows, int columns)
    {
        long blocks = (long)CeilDivide(rows, Tile.Rows) * CeilDivide(columns, Tile.Columns);
        long waves = (blocks + device.Multiprocessors - 1) / device.Multiprocessors;
        return waves * (double)(Tile.Rows * Tile.Columns) / Worth;
    }

    private static int CeilDivide(int a, int b) => (a + b - 1) / b;
}

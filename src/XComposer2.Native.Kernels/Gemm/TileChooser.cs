using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Chooses the tile of a product: the one that keeps most of the device's arithmetic busy with wanted results.</summary>
/// <remarks>
/// Blocks that share a multiprocessor share its tensor cores, so the multiprocessor is the unit: of multiprocessors x waves x tile, rows x columns is
/// useful. A tile's own worth is how much of its time its tensor cores are busy, relative to the best tile of that generation: small warp tiles read
/// more shared memory for the same product, which matters little where tensor cores are slow beside it (sm_86, sm_89) and much where they are fast.
/// </remarks>
public static class TileChooser
{
    private static readonly (PrefillTile Tile, double Worth)[] Turing = [(PrefillTile.T1, 1), (PrefillTile.T2, 0.95), (PrefillTile.T3, 0.9)];

    // The loader's switch to Partial LoRA takes registers that T1 has not got: it would spill.
    private static readonly (PrefillTile Tile, double Worth)[] TuringWithLora = [(PrefillTile.T2, 1), (PrefillTile.T3, 0.95)];

    private static readonly (PrefillTile Tile, double Worth)[] Center = [(PrefillTile.A1, 1), (PrefillTile.A2, 0.95), (PrefillTile.S1, 0.8)];

    private static readonly (PrefillTile Tile, double Worth)[] Consumer = [(PrefillTile.G1, 1), (PrefillTile.G2, 1), (PrefillTile.S1, 0.92)];

    /// <summary>The tile for a linear.</summary>
    /// <param name="capability">Of the device.</param>
    /// <param name="multiprocessors">Of the device.</param>
    /// <param name="storage">F32 has one tile.</param>
    /// <param name="rows">Rows of the step.</param>
    /// <param name="columns">Rows of the weights.</param>
    /// <param name="hasLora">The same sums take in Partial LoRA.</param>
    public static PrefillTile Choose(ComputeCapability capability, int multiprocessors, KernelStorage storage, int rows, int columns, bool hasLora)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(multiprocessors, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (storage == KernelStorage.F32) return PrefillTile.Plain;
        (PrefillTile Tile, double Worth)[] tiles = TilesOf(capability, hasLora);
        (PrefillTile Tile, double Worth) best = tiles[0];
        foreach ((PrefillTile Tile, double Worth) candidate in tiles)
            if (candidate.Worth * Efficiency(candidate.Tile, multiprocessors, rows, columns) > best.Worth * Efficiency(best.Tile, multiprocessors, rows, columns))
                best = candidate;
        return best.Tile;
    }

    /// <summary>The tile for the lower half of Partial LoRA, whose products have few columns.</summary>
    public static PrefillTile ChooseForLora(ComputeCapability capability, KernelStorage storage) =>
        storage == KernelStorage.F32 ? PrefillTile.Plain : capability.Number < 80 ? PrefillTile.T3 : PrefillTile.S1;

    /// <summary>Useful part of what the multiprocessors compute, 0 to 1.</summary>
    internal static double Efficiency(PrefillTile tile, int multiprocessors, int rows, int columns)
    {
        long tiles = (long)CeilDivide(rows, tile.Rows) * CeilDivide(columns, tile.Columns);
        long waves = (tiles + multiprocessors - 1) / multiprocessors;
        return (double)rows * columns / (waves * multiprocessors * (double)(tile.Rows * tile.Columns));
    }

    private static (PrefillTile Tile, double Worth)[] TilesOf(ComputeCapability capability, bool hasLora) => capability switch
    {
        { Number: < 80 } => hasLora ? TuringWithLora : Turing,
        { Major: 8, Minor: > 0 } or { Major: >= 12 } => Consumer,
        _ => Center,
    };

    private static int CeilDivide(int a, int b) => (a + b - 1) / b;
}

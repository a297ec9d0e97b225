using System.Collections.Immutable;

namespace XComposer2.Native.Kernels;

/// <summary>Tiles of sm_86, sm_89 and the consumer cards after them. Their tensor cores with F32 sums are so slow that shared memory is nearly free: the rows of a
/// tile count, and its warp tiles hardly do. No figure here is measured yet.</summary>
internal static class Sm86Tiles
{
    private static readonly ImmutableArray<WeighedTile> tiles = [new(PrefillTile.G1, 1), new(PrefillTile.G2, 1), new(PrefillTile.S1, 0.92)];

    // At twice the rate a small warp tile's share of shared memory shows. Of tiles that take as long, that of fewer rows: blocks that share a multiprocessor fill it to the end.
    private static readonly ImmutableArray<WeighedTile> halfTiles =
    [
        new(PrefillTile.G1 with { HasHalfSums = true }, 0.99), new(PrefillTile.G2 with { HasHalfSums = true }, 1),
        new(PrefillTile.S1 with { IsDoubleBuffered = false, HasHalfSums = true }, 0.85),
    ];

    public static TileSet Set { get; } = new(tiles, tiles, LoraDown: PrefillTile.S1);

    /// <summary>For linears with <see cref="HalfSums"/>.</summary>
    public static TileSet HalfSet { get; } = new(halfTiles, halfTiles, LoraDown: PrefillTile.S1);
}

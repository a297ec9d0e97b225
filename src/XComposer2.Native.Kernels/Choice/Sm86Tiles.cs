using System.Collections.Immutable;

namespace XComposer2.Native.Kernels;

/// <summary>Tiles of sm_86, sm_89 and the consumer cards after them. Their tensor cores with F32 sums are so slow that shared memory is nearly free: the rows of a
/// tile count, and its warp tiles hardly do. No figure here is measured yet.</summary>
internal static class Sm86Tiles
{
    private static readonly ImmutableArray<WeighedTile> tiles = [new(PrefillTile.G1, 1), new(PrefillTile.G2, 1), new(PrefillTile.S1, 0.92)];

    public static TileSet Set { get; } = new(tiles, tiles, LoraDown: PrefillTile.S1);
}

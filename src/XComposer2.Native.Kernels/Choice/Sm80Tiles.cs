using System.Collections.Immutable;

namespace XComposer2.Native.Kernels;

/// <summary>Tiles of sm_80 and sm_90, whose tensor cores are fast beside shared memory: warp tiles of 64 x 64 read a quarter less of it for the same product
/// than 64 x 32, and half as much as 32 x 32. No figure here is measured yet.</summary>
internal static class Sm80Tiles
{
    private static readonly ImmutableArray<WeighedTile> tiles = [new(PrefillTile.A1, 1), new(PrefillTile.A2, 0.95), new(PrefillTile.S1, 0.8)];

    public static TileSet Set { get; } = new(tiles, tiles, LoraDown: PrefillTile.S1);
}

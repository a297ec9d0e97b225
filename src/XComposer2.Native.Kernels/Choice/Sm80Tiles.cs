using System.Collections.Immutable;

namespace XComposer2.Native.Kernels;

/// <summary>Tiles of sm_80, and of sm_90 where wgmma has no form.</summary>
/// <remarks>
/// Tensor cores are fast beside shared memory. For 16 columns of K, four warps of 64 x 64 read 16 KB and 8 KB of new slices come, 192 cycles at 128 bytes, while their products
/// take 256; of 32 x 32 it is 8 KB and 4 KB, 96 cycles, for products of 64: two thirds. No figure here is measured yet.
/// </remarks>
internal static class Sm80Tiles
{
    private static readonly ImmutableArray<WeighedTile> tiles = [new(PrefillTile.A1, 1), new(PrefillTile.A2, 0.95), new(PrefillTile.S1, 0.67)];

    public static TileSet Set { get; } = new(tiles, tiles, LoraDown: PrefillTile.S1);
}

namespace XComposer2.Native.Kernels;

/// <summary>Tiles of sm_90 for 16-bit weights: wgmma, and the small tile of mma.sync where there are few rows and columns.</summary>
/// <remarks>
/// A cycle of tensor cores takes (64 + N) x 64 / N bytes of operands from shared memory, and 32 (128 + N) / N bytes of new slices go there, of the 128 that it moves:
/// 128 for N = 256, 130 for 240, 143, 160, 192 for 176, 128, 80. The worth is 128 over that. mma.sync reaches 0.62 of wgmma's rate, and its small tile half of
/// that: see <see cref="Sm80Tiles"/>. No figure here is measured yet.
/// </remarks>
internal static class Sm90Tiles
{
    public static TileSet Set { get; } = new(
        // Those of pictures.
        Plain: [new(WgmmaTile.W256, 1), new(WgmmaTile.W176, 0.89), new(WgmmaTile.W80, 0.66), new(PrefillTile.S1, 0.33)],
        // The decoder's.
        WithLora: [new(WgmmaTile.W256, 1), new(WgmmaTile.W240, 0.98), new(WgmmaTile.W176, 0.89), new(WgmmaTile.W128, 0.8), new(PrefillTile.S1, 0.33)],
        LoraDown: PrefillTile.S1);

    /// <summary>For 1300 rows of 256 columns 44 tiles of 64 columns in three parts of K are a wave of 132 multiprocessors, for 512 columns those of 128.</summary>
    public static WgmmaTile LoraDown(int columns) => columns > 256 ? WgmmaTile.W128 : WgmmaTile.W64;
}

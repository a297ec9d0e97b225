namespace XComposer2.Native.Kernels;

/// <summary>Tiles of sm_75, which has no asynchronous copies: two stages. Derivation: the tile table of 1.1 and the waves of 1.4 in the design of sm_80 kernels;
/// no figure here is measured yet.</summary>
internal static class Sm75Tiles
{
    // The loader's switch to Partial LoRA takes registers that T1 has not got: it would spill.
    public static TileSet Set { get; } = new(
        Plain: [new(PrefillTile.T1, 1), new(PrefillTile.T2, 0.95), new(PrefillTile.T3, 0.9)],
        WithLora: [new(PrefillTile.T2, 1), new(PrefillTile.T3, 0.95)],
        LoraDown: PrefillTile.T3);
}

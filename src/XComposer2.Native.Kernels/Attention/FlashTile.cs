using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Sizes that <c>attention/flash_attention.cuh</c> works in: 64 query rows of one head, four warps of 16, against tiles of keys.</summary>
public static class FlashTile
{
    /// <summary>Query rows of a block.</summary>
    public const int Rows = 64;

    /// <summary>Threads of a block.</summary>
    public const int Threads = 2 * Rows;

    private const int PanelColumns = 64;

    /// <summary>Blocks that the launch bounds leave registers for.</summary>
    internal static int ResidentBlocks(int headSize) => headSize <= PanelColumns ? 3 : 2;

    /// <summary>Keys of a tile. Before 8.0 copies wait in registers and a multiprocessor has 64 KiB of shared memory: large heads get half a tile, and two blocks fit. Half a tile needs a multiple of 32 columns, to be shared equally by the threads.</summary>
    public static int ChooseKeys(ComputeCapability capability, int headSize) =>
        capability.Number < 80 && headSize > PanelColumns && headSize % 32 == 0 ? 32 : 64;

    /// <summary>Shared memory of a block: its queries, a tile of keys and one of values. Rows are padded to whole panels of 64 columns.</summary>
    internal static int SharedBytes(DType storage, int headSize, int keys)
    {
        if (storage == DType.F32) return 0;
        int panels = (headSize + PanelColumns - 1) / PanelColumns;
        return panels * PanelColumns * storage.ElementBytes() * (Rows + (2 * keys));
    }

    /// <summary>What scores are multiplied by: weights are powers of two of the product.</summary>
    internal static float ScoreScale(int headSize) => (float)(Math.Log2(Math.E) / Math.Sqrt(headSize));

    internal static void RequireKeys(int keys)
    {
        if (keys is not (32 or 64)) throw new ArgumentOutOfRangeException(nameof(keys), keys, "a tile has 32 or 64 keys");
    }
}

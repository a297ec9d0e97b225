namespace XComposer2.Native.Kernels;

/// <summary>How a row of logits is cut for several blocks: <c>RowCut</c> of <c>sampling/candidates.cuh</c>.</summary>
/// <param name="VocabularySize">Logits of a row.</param>
public readonly record struct RowCut(int VocabularySize)
{
    /// <summary>A block's sums come together in one warp, a lane for each warp.</summary>
    public const int BlockThreads = 1024;

    private const int WarpLanes = 32, Warps = BlockThreads / WarpLanes, MostBlocks = 32, UsualPerLane = 6;

    /// <summary>Parts of a row, one a block.</summary>
    public int Blocks => Ceiling(VocabularySize, PerLane * BlockThreads);

    /// <summary>Bytes of the largest tokens of a row's segments, one a warp.</summary>
    public long MaximaBytes => (long)Blocks * Warps * sizeof(ulong);

    /// <summary>Bytes of what the row's blocks leave of their sums: <c>PartSum</c> of <c>sampling/log_sum.cuh</c>.</summary>
    public long PartBytes => (long)Blocks * 2 * sizeof(ulong);

    private int PerLane => Math.Max(Math.Min(UsualPerLane, Ceiling(VocabularySize, BlockThreads)), Ceiling(VocabularySize, MostBlocks * BlockThreads));

    private static int Ceiling(int value, int divisor) => (value / divisor) + (value % divisor == 0 ? 0 : 1);
}

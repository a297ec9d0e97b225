namespace XComposer2.Native.Kernels;

/// <summary>How K of a product with few tiles is cut, so that all multiprocessors have a part of it: <c>gemm/split_sums.cuh</c>.</summary>
/// <param name="Tiles">Of the product.</param>
/// <param name="TileBytes">F32 sums of one.</param>
/// <param name="Slices">Of K.</param>
/// <param name="BlocksPerMultiprocessor">That run together.</param>
public readonly record struct SplitSums(int Tiles, long TileBytes, int Slices, int BlocksPerMultiprocessor)
{
    // No card has more, and no kernel has more blocks on one.
    private const int MostMultiprocessors = 192, MostBlocks = 2;

    /// <summary>Bytes of the counters that all launches of a graph share: of every tile that may have parts.</summary>
    public const long ArrivalBytes = (long)MostMultiprocessors * MostBlocks * sizeof(uint);

    /// <summary>Bytes that the parts take, whatever the device.</summary>
    public long ScratchBytes => TileBytes * Math.Min((long)Places(MostMultiprocessors), (long)Tiles * MostParts);

    // Each part more makes the multiplication shorter and the addition, which one block does, longer: about as much as a slice takes.
    private int MostParts => Math.Max(1, (int)Math.Sqrt(Slices));

    /// <summary>Parts of a tile: as many as run together.</summary>
    public int Parts(int multiprocessors) => Math.Clamp(Places(multiprocessors) / Tiles, 1, MostParts);

    private int Places(int multiprocessors) => Math.Min(multiprocessors, MostMultiprocessors) * Math.Min(BlocksPerMultiprocessor, MostBlocks);
}

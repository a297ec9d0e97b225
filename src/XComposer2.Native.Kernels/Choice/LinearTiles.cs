using System.Collections.Immutable;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Chooses the kernel and the tile of a product: the one that keeps most of the device's arithmetic busy with wanted results.</summary>
/// <remarks>
/// Blocks that share a multiprocessor share its tensor cores, so the multiprocessor is the unit: a product takes waves x tile, and the smallest such area is the
/// fastest. A tile's own worth is how much of its time its tensor cores are busy, relative to the best tile of that generation: small warp tiles read
/// more shared memory for the same product, which matters little where tensor cores are slow beside it (sm_86, sm_89) and much where they are fast.
/// </remarks>
public static class LinearTiles
{
    // Rows of the smallest tile, within which no choice changes; and more multiprocessors than any card has.
    private const int LeastRows = 64, MostMultiprocessors = 256;

    /// <summary>The kernel for a linear: <see cref="LinearPrefill"/> or <see cref="LinearWgmma"/>, with its tile.</summary>
    /// <param name="device">Generation and multiprocessors.</param>
    /// <param name="form">Of the linear; F32 has one tile.</param>
    /// <param name="rows">Rows of the step.</param>
    /// <param name="loraRank">Of Partial LoRA in the same sums; 0 for none.</param>
    public static OperationKernel Choose(DeviceFacts device, LinearForm form, int rows, int loraRank) => Kernel(form, ChooseTile(device, form, rows, loraRank > 0), loraRank);

    /// <summary>Every tile of the generation.</summary>
    public static IEnumerable<ILinearTile> Candidates(ComputeCapability capability, LinearForm form, bool hasLora)
    {
        ArgumentNullException.ThrowIfNull(form);
        return form.Storage == DType.F32 ? [PrefillTile.Plain] : SetOf(capability, form).For(hasLora).Select(candidate => candidate.Tile);
    }

    /// <summary>Kernels that a card of some number of multiprocessors is given for some number of rows: small products never take large tiles.</summary>
    /// <param name="capability">The generation.</param>
    /// <param name="form">Of the linear; F32 has one tile.</param>
    /// <param name="unit">Rows come in multiples of so many.</param>
    /// <param name="capacity">The most rows.</param>
    /// <param name="loraRank">Of Partial LoRA in the same sums; 0 for none.</param>
    public static IEnumerable<OperationKernel> Candidates(ComputeCapability capability, LinearForm form, int unit, int capacity, int loraRank)
    {
        ILinearTile[] all = [.. Candidates(capability, form, loraRank > 0)];
        HashSet<ILinearTile> chosen = [];
        int step = Math.Max(unit, LeastRows);
        for (int first = 0; first < capacity && chosen.Count < all.Length; first += step)
            for (int count = 1; count <= MostMultiprocessors && chosen.Count < all.Length; count++)
                chosen.Add(ChooseTile(new DeviceFacts(capability, count), form, Math.Min(first + step, capacity), loraRank > 0));
        return all.Where(chosen.Contains).Select(tile => Kernel(form, tile, loraRank));
    }

    /// <summary>The kernel for the lower half of Partial LoRA, whose products have few columns.</summary>
    /// <param name="capability">The generation.</param>
    /// <param name="storage">Type of input, A and output.</param>
    /// <param name="inFeatures">Columns of A.</param>
    /// <param name="outFeatures">Rows of A.</param>
    public static OperationKernel ChooseForLora(ComputeCapability capability, DType storage, int inFeatures, int outFeatures)
    {
        if (capability.Number == 90 && LinearWgmma.Has(new LinearForm { Storage = storage, InFeatures = inFeatures, OutFeatures = outFeatures }))
            return new LoraDownWgmma(storage, inFeatures, outFeatures, Sm90Tiles.LoraDown(outFeatures));
        return new LoraDown(storage, inFeatures, outFeatures, storage == DType.F32 ? PrefillTile.Plain : SetOf(capability).LoraDown);
    }

    /// <summary>Scratch of the lower half of Partial LoRA, whatever the device.</summary>
    internal static long LoraScratchBytes(DType storage, int inFeatures, int outFeatures, int capacity)
    {
        ComputeCapability[] generations = [CudaDriver.MinimumCapability, new(8, 0), new(9, 0)];
        return generations.Max(generation => ChooseForLora(generation, storage, inFeatures, outFeatures) switch
        {
            LoraDownWgmma wgmma => wgmma.Split(capacity).ScratchBytes,
            LoraDown mma => mma.Split(capacity).ScratchBytes,
            _ => 0,
        });
    }

    private static ILinearTile ChooseTile(DeviceFacts device, LinearForm form, int rows, bool hasLora)
    {
        ArgumentNullException.ThrowIfNull(form);
        ArgumentOutOfRangeException.ThrowIfLessThan(device.Multiprocessors, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        if (form.Storage == DType.F32) return PrefillTile.Plain;
        // So that all kernels that are chosen are candidates.
        device = device with { Multiprocessors = Math.Min(device.Multiprocessors, MostMultiprocessors) };
        ImmutableArray<WeighedTile> tiles = SetOf(device.Capability, form).For(hasLora);
        WeighedTile best = tiles[0];
        foreach (WeighedTile candidate in tiles)
            if (candidate.Cost(device, rows, form.OutFeatures) < best.Cost(device, rows, form.OutFeatures))
                best = candidate;
        return best.Tile;
    }

    private static OperationKernel Kernel(LinearForm form, ILinearTile tile, int loraRank) => tile switch
    {
        WgmmaTile wgmma => new LinearWgmma(form, wgmma, loraRank),
        PrefillTile mma => new LinearPrefill(form, mma, loraRank),
        _ => throw new ArgumentException($"no kernel has tiles such as {tile}", nameof(tile)),
    };

    private static TileSet SetOf(ComputeCapability capability, LinearForm form) =>
        capability.Number == 90 && LinearWgmma.Has(form) ? Sm90Tiles.Set : HalfSums.Has(capability) && HalfSums.Has(form) ? Sm86Tiles.HalfSet : SetOf(capability);

    // Of linears that wgmma has no form for.
    private static TileSet SetOf(ComputeCapability capability) => capability switch
    {
        { Number: < 80 } => Sm75Tiles.Set,
        { Major: 8, Minor: > 0 } or { Major: >= 12 } => Sm86Tiles.Set,
        _ => Sm80Tiles.Set,
    };
}

/// <summary>Tiles of a generation, the widest first.</summary>
/// <param name="Plain">For linears without Partial LoRA.</param>
/// <param name="WithLora">For linears with it.</param>
/// <param name="LoraDown">For its lower half.</param>
internal sealed record TileSet(ImmutableArray<WeighedTile> Plain, ImmutableArray<WeighedTile> WithLora, PrefillTile LoraDown)
{
    public ImmutableArray<WeighedTile> For(bool hasLora) => hasLora ? WithLora : Plain;
}

/// <summary>A tile and its worth, 1 for the best of its generation.</summary>
internal readonly record struct WeighedTile(ILinearTile Tile, double Worth)
{
    /// <summary>What a multiprocessor computes, wanted or not, in elements of the best tile's time.</summary>
    public double Cost(DeviceFacts device, int rows, int columns)
    {
        long blocks = (long)CeilDivide(rows, Tile.Rows) * CeilDivide(columns, Tile.Columns);
        long waves = (blocks + device.Multiprocessors - 1) / device.Multiprocessors;
        return waves * (double)(Tile.Rows * Tile.Columns) / Worth;
    }

    private static int CeilDivide(int a, int b) => (a + b - 1) / b;
}

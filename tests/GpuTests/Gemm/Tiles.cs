using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Every tile by its name, for theories.</summary>
internal static class Tiles
{
    public static readonly string[] TensorCore = ["A1", "A2", "G1", "G2", "S1", "T1", "T2", "T3"];

    public static PrefillTile Of(string name, DType storage) => storage == DType.F32 ? PrefillTile.Plain : name switch
    {
        "A1" => PrefillTile.A1,
        "A2" => PrefillTile.A2,
        "G1" => PrefillTile.G1,
        "G2" => PrefillTile.G2,
        "S1" => PrefillTile.S1,
        "T1" => PrefillTile.T1,
        "T2" => PrefillTile.T2,
        "T3" => PrefillTile.T3,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no tile has this name"),
    };

    /// <summary>Every tile in both 16-bit types, and F32.</summary>
    public static TheoryData<string, DType> All()
    {
        TheoryData<string, DType> data = new() { { "Plain", DType.F32 } };
        foreach (string tile in TensorCore)
            foreach (DType storage in new[] { DType.F16, DType.BF16 })
                data.Add(tile, storage);
        return data;
    }

    /// <summary>A few that differ in what matters beyond the product: rows a pass, depth, buffers.</summary>
    public static TheoryData<string, DType> Some() => new()
    {
        { "Plain", DType.F32 }, { "A1", DType.BF16 }, { "G2", DType.BF16 }, { "S1", DType.F16 }, { "T1", DType.F16 },
    };
}

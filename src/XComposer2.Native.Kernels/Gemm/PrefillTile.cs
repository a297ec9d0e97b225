using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>How a block of <c>gemm/linear_prefill.cu</c> is cut.</summary>
/// <param name="Rows">Rows of a block's tile.</param>
/// <param name="Columns">Columns of a block's tile.</param>
/// <param name="WarpRows">Rows of a warp's tile.</param>
/// <param name="WarpColumns">Columns of a warp's tile.</param>
/// <param name="Depth">Columns of K in a slice.</param>
/// <param name="Stages">Slices in shared memory.</param>
/// <param name="IsDoubleBuffered">Fragments of the next step are loaded while those of this one are multiplied; costs registers.</param>
/// <param name="BlocksPerMultiprocessor">Blocks that share a multiprocessor, which caps the registers.</param>
/// <param name="HasHalfSums">Products of F16 are added 32 at a time in F16, and these sums in F32.</param>
public readonly record struct PrefillTile(
    int Rows, int Columns, int WarpRows, int WarpColumns, int Depth, int Stages, bool IsDoubleBuffered, int BlocksPerMultiprocessor, bool HasHalfSums = false)
    : ILinearTile
{
    /// <summary>sm_80: gate and up, the packed projection.</summary>
    public static PrefillTile A1 { get; } = new(128, 256, 64, 64, 32, 3, true, 1);

    /// <summary>sm_80: everything of middle size.</summary>
    public static PrefillTile A2 { get; } = new(128, 128, 64, 64, 32, 4, true, 2);

    /// <summary>sm_86, sm_89: many columns. Double buffering would spill.</summary>
    public static PrefillTile G1 { get; } = new(128, 128, 64, 32, 32, 3, false, 2);

    /// <summary>sm_86, sm_89: where 128 rows would leave multiprocessors idle.</summary>
    public static PrefillTile G2 { get; } = new(64, 128, 64, 32, 32, 4, false, 2);

    /// <summary>sm_80 and newer: few columns or few rows.</summary>
    public static PrefillTile S1 { get; } = new(64, 64, 32, 32, 64, 3, true, 2);

    /// <summary>sm_75.</summary>
    public static PrefillTile T1 { get; } = new(128, 128, 64, 64, 32, 2, true, 2);

    /// <summary>sm_75: where 128 rows would leave multiprocessors idle.</summary>
    public static PrefillTile T2 { get; } = new(64, 128, 32, 64, 32, 2, true, 2);

    /// <summary>sm_75: few columns or few rows.</summary>
    public static PrefillTile T3 { get; } = S1 with { Stages = 2 };

    /// <summary>F32 storage, which has no tensor cores.</summary>
    public static PrefillTile Plain { get; } = new(64, 64, 32, 32, 32, 2, false, 1);

    public int Threads => Rows / WarpRows * (Columns / WarpColumns) * 32;

    /// <summary>Dynamic shared memory of a block.</summary>
    /// <param name="storage">Type of the input.</param>
    /// <param name="weights">Of the weights.</param>
    /// <param name="loraInputs">Inputs of Partial LoRA: 0, 1, or 2 for gate and up.</param>
    public int SharedBytes(DType storage, WeightFormat weights, int loraInputs)
    {
        int element = storage.ElementBytes();
        int weightRow = (int)(weights.IsFloat ? storage : weights.Elements).Bytes(Depth);
        bool isTailSeparate = loraInputs == 2 || !weights.IsFloat;
        int tailRow = loraInputs == 0 ? 0 : Depth * element / (isTailSeparate ? 2 : 1);
        return Stages * ((Rows * Depth * element) + (Columns * Math.Max(weightRow, tailRow)));
    }

    /// <summary>What the files define for a tile, without shared memory.</summary>
    internal IEnumerable<(string Name, string Value)> Definitions() =>
    [
        ("BLOCK_ROWS", Number(Rows)),
        ("BLOCK_COLUMNS", Number(Columns)),
        ("WARP_ROWS", Number(WarpRows)),
        ("WARP_COLUMNS", Number(WarpColumns)),
        ("BLOCK_K", Number(Depth)),
        ("STAGES", Number(Stages)),
        ("DOUBLE_BUFFER", IsDoubleBuffered ? "1" : "0"),
        ("BLOCKS_PER_SM", Number(BlocksPerMultiprocessor)),
        .. HasHalfSums ? [("HALF_SUMS", "1")] : Array.Empty<(string, string)>(),
    ];

    private static string Number(int value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

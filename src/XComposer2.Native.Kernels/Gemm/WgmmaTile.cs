using System.Globalization;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>How a block of <c>gemm/linear_wgmma.cu</c> or <c>gemm/lora_down_wgmma.cu</c> is cut: 128 rows, which two warpgroups share, and slices of 64 columns of K.</summary>
/// <param name="Columns">Columns of a block's tile: a multiple of 16 that the kernel has an instruction for.</param>
/// <param name="Stages">Slices in shared memory.</param>
public readonly record struct WgmmaTile(int Columns, int Stages) : ILinearTile
{
    /// <summary>Columns of K in a slice: a row of 128 bytes.</summary>
    public const int Depth = 64;

    private const int BlockRows = 128, RowBytes = 128, AlignmentBytes = 1024;

    /// <summary>The widest: the least traffic for the same product.</summary>
    public static WgmmaTile W256 { get; } = new(256, 4);

    /// <inheritdoc cref="W256"/>
    public static WgmmaTile W240 { get; } = new(240, 4);

    /// <summary>Where wider ones would leave multiprocessors idle.</summary>
    public static WgmmaTile W176 { get; } = new(176, 5);

    /// <summary>Few rows. Shared memory bounds it.</summary>
    public static WgmmaTile W128 { get; } = new(128, 6);

    /// <summary>Few columns: those of a picture's encoder. Shared memory bounds it.</summary>
    public static WgmmaTile W80 { get; } = new(80, 8);

    /// <summary>The lower half of Partial LoRA.</summary>
    public static WgmmaTile W64 { get; } = new(64, 8);

    public int Rows => BlockRows;

    /// <summary>A warpgroup that asks for slices, and two that multiply.</summary>
    public const int Threads = 3 * 128;

    /// <summary>Dynamic shared memory of a block, with what its alignment may take.</summary>
    public int SharedBytes => (Stages * (BlockRows + Columns) * RowBytes) + AlignmentBytes;

    /// <summary>What the files define for a tile.</summary>
    internal IEnumerable<(string Name, string Value)> Definitions(int loraInputs, int loraRank)
    {
        (string Name, int Value)[] numbers =
            [("BLOCK_COLUMNS", Columns), ("STAGES", Stages), ("LORA_INPUTS", loraInputs), ("RANK", loraRank), ("DYNAMIC_SHARED_BYTES", SharedBytes)];
        return numbers.Select(number => (number.Name, number.Value.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Of [rows, columns], in boxes of a tile's rows and a slice's columns.</summary>
    internal static TensorMap MapRows(CudaContext context, DType storage, DevicePointer start, int columns, int rows) =>
        Encode(context, storage, start, [columns, rows], [Bytes(storage, columns)], [Depth, BlockRows]);

    /// <summary>Of [rows, matrices, columns]: boxes of one of the matrices.</summary>
    internal static TensorMap MapRows(CudaContext context, DType storage, DevicePointer start, int columns, int matrices, int rows) =>
        Encode(context, storage, start, [columns, matrices, rows], [Bytes(storage, columns), Bytes(storage, matrices * columns)], [Depth, 1, BlockRows]);

    /// <summary>Of a linear's weights, or of B, in boxes of a tile's columns. Gates and ups lie in turns of eight rows: a box has every other eight.</summary>
    internal TensorMap MapWeights(CudaContext context, LinearForm form, DevicePointer start, int columns)
    {
        const int Turn = 16;
        return form.Epilogue == LinearEpilogue.Gated
            ? Encode(context, form.Storage, start, [columns, Turn, form.OutFeatures / Turn], [Bytes(form.Storage, columns), Bytes(form.Storage, columns * Turn)], [Depth, Turn / 2, Columns / Turn])
            : Encode(context, form.Storage, start, [columns, form.OutFeatures], [Bytes(form.Storage, columns)], [Depth, Columns]);
    }

    private static TensorMap Encode(
        CudaContext context, DType storage, DevicePointer start, ReadOnlySpan<long> sizes, ReadOnlySpan<long> stridesBytes, ReadOnlySpan<int> box) => TensorMap.Encode(
        context,
        new TensorMapLayout
        {
            Start = start,
            Type = storage == DType.BF16 ? TensorMapType.BFloat16 : TensorMapType.Float16,
            Sizes = MemoryMarshal.Cast<long, ulong>(sizes),
            StridesBytes = MemoryMarshal.Cast<long, ulong>(stridesBytes),
            Box = MemoryMarshal.Cast<int, uint>(box),
            Swizzle = TensorMapSwizzle.Bytes128,
            Promotion = TensorMapPromotion.L2Bytes256,
        });

    private static long Bytes(DType storage, int elements) => (long)elements * storage.ElementBytes();
}

/// <summary>What a block of a tiled linear computes.</summary>
public interface ILinearTile
{
    /// <summary>Rows of the step.</summary>
    int Rows { get; }

    /// <summary>Rows of the weights.</summary>
    int Columns { get; }
}

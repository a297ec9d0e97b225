using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>
/// <c>CUtensorMap</c>: a TMA descriptor. It is stored by value in a kernel's argument struct, aligned to 64 bytes.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct TensorMap
{
    private const int MapBytes = 128;
    private const int MapAlignment = 64;
    private const int MaximumRank = 5;

    private Content content;

    /// <param name="context">Context of the tensor.</param>
    /// <param name="layout">Rank 1 to 5.</param>
    /// <exception cref="CudaException">The driver rejected the layout. The message shows it.</exception>
    public static TensorMap Encode(CudaContext context, in TensorMapLayout layout)
    {
        ArgumentNullException.ThrowIfNull(context);
        int rank = layout.Sizes.Length;
        ArgumentOutOfRangeException.ThrowIfZero(rank, nameof(layout));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rank, MaximumRank, nameof(layout));
        if (layout.StridesBytes.Length != rank - 1 || layout.Box.Length != rank)
            throw new ArgumentException(
                $"a tensor map of rank {rank} has {rank - 1} strides and {rank} box sizes, not {layout.StridesBytes.Length} and {layout.Box.Length}", nameof(layout));
        context.Enter();

        // The driver requires 64-byte alignment of the map, which neither stack nor heap guarantees.
        byte* room = stackalloc byte[MapBytes + MapAlignment];
        TensorMap* map = (TensorMap*)(((nuint)room + MapAlignment - 1) & ~(nuint)(MapAlignment - 1));
        uint* steps = stackalloc uint[MaximumRank] { 1, 1, 1, 1, 1 };
        fixed (ulong* sizes = layout.Sizes, strides = layout.StridesBytes)
        fixed (uint* box = layout.Box)
        {
            // Rank 1 has no strides, but the driver still requires a valid pointer.
            ulong none = 0;
            context.Driver.Check(
                context.Driver.Functions.cuTensorMapEncodeTiled(
                    map, layout.Type, (uint)rank, (void*)layout.Start.Address, sizes, strides == null ? &none : strides, box, steps,
                    layout.Interleave, layout.Swizzle, layout.Promotion, layout.Fill),
                nameof(DriverFunctions.cuTensorMapEncodeTiled), $"{layout.Describe()}");
        }
        return *map;
    }

    [InlineArray(MapBytes / sizeof(ulong))]
    private struct Content
    {
        private ulong first;
    }
}

/// <summary>Input for a <see cref="TensorMap"/>. Dimensions are ordered innermost first, as in TMA.</summary>
public readonly ref struct TensorMapLayout
{
    /// <summary>A multiple of 16 bytes.</summary>
    public required DevicePointer Start { get; init; }

    public required TensorMapType Type { get; init; }

    /// <summary>Elements of each dimension, innermost first.</summary>
    public required ReadOnlySpan<ulong> Sizes { get; init; }

    /// <summary>Byte strides of all dimensions but the innermost; multiples of 16.</summary>
    public required ReadOnlySpan<ulong> StridesBytes { get; init; }

    /// <summary>Elements per dimension that one copy transfers, at most 256.</summary>
    public required ReadOnlySpan<uint> Box { get; init; }

    public TensorMapInterleave Interleave { get; init; }

    public TensorMapSwizzle Swizzle { get; init; }

    public TensorMapPromotion Promotion { get; init; }

    public TensorMapFill Fill { get; init; }

    internal string Describe() =>
        $"{Type} at {Start}, sizes {List(Sizes)}, strides {List(StridesBytes)} bytes, box {List(Box)}, swizzle {Swizzle}, interleave {Interleave}";

    private static string List<T>(ReadOnlySpan<T> values) => $"[{string.Join(", ", values.ToArray())}]";
}

/// <summary><c>CUtensorMapDataType</c>, the members in use.</summary>
public enum TensorMapType
{
    UInt8 = 0,
    UInt16 = 1,
    UInt32 = 2,
    Int32 = 3,
    Float16 = 6,
    Float32 = 7,
    BFloat16 = 9,
}

/// <summary><c>CUtensorMapInterleave</c>.</summary>
public enum TensorMapInterleave
{
    None = 0,
    Bytes16 = 1,
    Bytes32 = 2,
}

/// <summary><c>CUtensorMapSwizzle</c>.</summary>
public enum TensorMapSwizzle
{
    None = 0,
    Bytes32 = 1,
    Bytes64 = 2,
    Bytes128 = 3,
}

/// <summary><c>CUtensorMapL2promotion</c>.</summary>
public enum TensorMapPromotion
{
    None = 0,
    L2Bytes64 = 1,
    L2Bytes128 = 2,
    L2Bytes256 = 3,
}

/// <summary><c>CUtensorMapFloatOOBfill</c>: value of reads outside the tensor.</summary>
public enum TensorMapFill
{
    Zero = 0,
    NanRequestZeroFma = 1,
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>
/// <c>CUtensorMap</c>: how TMA finds its way in a tensor; goes into a kernel's argument struct, at a multiple of 64 bytes, as it is.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct TensorMap
{
    private const int MapBytes = 128;
    private const int MapAlignment = 64;
    private const int MaximumRank = 5;

    private Content content;

    /// <param name="context">Where the tensor is.</param>
    /// <param name="layout">Rank 1 to 5.</param>
    /// <exception cref="CudaException">The driver refuses the layout: the message shows it.</exception>
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

        // The driver wants the map itself at a multiple of 64 bytes, which neither stack nor heap promises.
        byte* room = stackalloc byte[MapBytes + MapAlignment];
        TensorMap* map = (TensorMap*)(((nuint)room + MapAlignment - 1) & ~(nuint)(MapAlignment - 1));
        uint* steps = stackalloc uint[MaximumRank] { 1, 1, 1, 1, 1 };
        fixed (ulong* sizes = layout.Sizes, strides = layout.StridesBytes)
        fixed (uint* box = layout.Box)
        {
            // A rank of 1 has no stride, but the driver still wants an address.
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

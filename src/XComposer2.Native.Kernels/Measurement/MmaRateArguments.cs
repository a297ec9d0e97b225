using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>measurement/mma_rate.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct MmaRateArguments
{
    /// <param name="a">[<see cref="MmaRate.Rows"/>, <see cref="MmaRate.Depth"/>] of the storage type, aligned to 4 bytes.</param>
    /// <param name="b">[<see cref="MmaRate.Columns"/>, <see cref="MmaRate.Depth"/>], aligned to 4 bytes.</param>
    /// <param name="sums">F32 [threads of the grid].</param>
    /// <param name="steps">How often the product is added.</param>
    public MmaRateArguments(DevicePointer a, DevicePointer b, DevicePointer sums, uint steps)
    {
        A = a;
        B = b;
        Sums = sums;
        Steps = steps;
    }

    public DevicePointer A { get; }

    public DevicePointer B { get; }

    public DevicePointer Sums { get; }

    public uint Steps { get; }

    private uint Reserved { get; }
}

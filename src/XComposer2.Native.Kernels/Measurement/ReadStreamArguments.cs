using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>measurement/read_stream.cu</c> declares it.</summary>
/// <param name="Values">[chunks] of 16 bytes, aligned to them.</param>
/// <param name="Sums">U32 [warps of the grid]: sums of 32-bit words, modulo 2^32.</param>
/// <param name="Chunks">Of 16 bytes.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ReadStreamArguments(DevicePointer Values, DevicePointer Sums, ulong Chunks);

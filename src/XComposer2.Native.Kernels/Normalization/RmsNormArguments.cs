using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>normalization/rms_norm.cu</c> declares it.</summary>
/// <param name="Input">F32 [rows, columns].</param>
/// <param name="Gain">[columns].</param>
/// <param name="Output">[rows, columns].</param>
/// <param name="Epsilon">Added to the mean of squares.</param>
/// <param name="Rows">Rows.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct RmsNormArguments(DevicePointer Input, DevicePointer Gain, DevicePointer Output, float Epsilon, uint Rows);

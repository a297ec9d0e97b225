using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>quantization/quantize_int8.cu</c> declares it.</summary>
/// <param name="Values">[rows, columns] of the storage type, finite, aligned to 16 bytes.</param>
/// <param name="Quantized">I8 [rows, columns], aligned to 16 bytes.</param>
/// <param name="Scales">F32 [rows].</param>
/// <param name="Columns">Elements of a row.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct QuantizeInt8Arguments(DevicePointer Values, DevicePointer Quantized, DevicePointer Scales, uint Columns);

using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>quantization/dequantize_int8.cu</c> declares it.</summary>
/// <param name="Quantized">I8 [rows, columns], aligned to 16 bytes.</param>
/// <param name="Scales">F32 [rows].</param>
/// <param name="Values">[rows, columns] of the storage type, aligned to 16 bytes.</param>
/// <param name="Columns">Elements of a row.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct DequantizeInt8Arguments(DevicePointer Quantized, DevicePointer Scales, DevicePointer Values, uint Columns);

using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>gemm/lora_down.cu</c> declares it. Matrices are aligned to 16 bytes.</summary>
/// <param name="Input">[rows, in].</param>
/// <param name="A">[out, in]; for gate and up one below the other.</param>
/// <param name="VisualRow">I32 [rows], negative for text.</param>
/// <param name="Output">[rows, out].</param>
/// <param name="Scale">alpha / rank.</param>
/// <param name="Rows">Rows of the step.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LoraDownArguments(
    DevicePointer Input, DevicePointer A, DevicePointer VisualRow, DevicePointer Output, float Scale, int Rows);

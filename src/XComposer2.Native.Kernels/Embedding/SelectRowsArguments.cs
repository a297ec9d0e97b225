using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>embedding/select_rows.cu</c> declares it.</summary>
/// <param name="Input">F32 [input rows, columns].</param>
/// <param name="Rows">I32 [count].</param>
/// <param name="Output">[count, columns].</param>
/// <param name="InputRows">Rows of the input.</param>
/// <param name="Count">Rows of the output.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SelectRowsArguments(DevicePointer Input, DevicePointer Rows, DevicePointer Output, uint InputRows, uint Count);

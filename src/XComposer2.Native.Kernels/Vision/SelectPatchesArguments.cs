using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>vision/select_patches.cu</c> declares it.</summary>
/// <param name="Input">F32 [images x (patches + 1), columns].</param>
/// <param name="Output">[images x patches, columns].</param>
/// <param name="Patches">Of one picture.</param>
/// <param name="Rows">Of the output.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SelectPatchesArguments(DevicePointer Input, DevicePointer Output, uint Patches, uint Rows);

using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>vision/patch_embedding.cu</c> declares it.</summary>
/// <param name="Pixels">F32 [images, 3, image size, image size], normalised.</param>
/// <param name="Weight">[width, 3, patch size, patch size] of the storage type.</param>
/// <param name="ClassToken">F32 [width].</param>
/// <param name="Positions">F32 [patches + 1, width].</param>
/// <param name="Output">F32 [images, patches + 1, width].</param>
/// <param name="Images">At least 1.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PatchEmbeddingArguments(
    DevicePointer Pixels, DevicePointer Weight, DevicePointer ClassToken, DevicePointer Positions, DevicePointer Output, uint Images);

using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>attention/vision_attention.cu</c> declares it. Made by <see cref="VisionAttention.Bind"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct VisionAttentionArguments(
    DevicePointer Queries, DevicePointer Keys, DevicePointer Values, DevicePointer Outputs, int Tokens, float ScoreScale);

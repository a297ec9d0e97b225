using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>attention/prefill_attention.cu</c> declares it. Made by <see cref="PrefillAttention.Bind"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PrefillAttentionArguments(
    DevicePointer Queries, DevicePointer Outputs, DevicePointer Layer, long PageBytes, DevicePointer Spans, DevicePointer PageTable,
    int Sequences, float ScoreScale);

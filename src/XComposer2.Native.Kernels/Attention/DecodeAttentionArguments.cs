using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>attention/decode_attention.cu</c> declares it. Made by <see cref="DecodeAttention.Bind"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct DecodeAttentionArguments(
    DevicePointer Queries, DevicePointer Outputs, DevicePointer Layer, long PageBytes, DevicePointer Spans, DevicePointer PageTable,
    DevicePointer PartialOutputs, DevicePointer PartialStates, DevicePointer Arrivals, float ScoreScale);

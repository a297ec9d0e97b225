using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>gemm/linear_prefill.cu</c> declares it. What the specialisation does not use may stay null. Matrices are aligned to 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LinearPrefillArguments
{
    /// <summary>[rows, in].</summary>
    public DevicePointer Input { get; init; }

    /// <summary>[out, in].</summary>
    public DevicePointer Weight { get; init; }

    /// <summary>F32 [out], of int8 weights.</summary>
    public DevicePointer WeightScale { get; init; }

    /// <summary>[out].</summary>
    public DevicePointer Bias { get; init; }

    /// <summary>F32 [rows, out]; may be the output.</summary>
    public DevicePointer Residual { get; init; }

    /// <summary>[rows, <see cref="LinearForm.OutputColumns"/>].</summary>
    public DevicePointer Output { get; init; }

    /// <summary>T of <see cref="LoraDown"/>: [rows, inputs x rank].</summary>
    public DevicePointer LoraDown { get; init; }

    /// <summary>B [out, rank], rows in the order of the weights.</summary>
    public DevicePointer LoraUp { get; init; }

    /// <summary>I32 [rows], negative for text.</summary>
    public DevicePointer VisualRow { get; init; }

    /// <summary>F32 [positions, head size / 2, 2]: cosine and sine.</summary>
    public DevicePointer RopeTable { get; init; }

    /// <summary>Page 0 of this layer's part of the cache.</summary>
    public DevicePointer Pages { get; init; }

    /// <summary>[<see cref="SequenceCount"/>] of <c>common/sequence_span.cuh</c>.</summary>
    public DevicePointer Sequences { get; init; }

    /// <summary>I32: physical pages.</summary>
    public DevicePointer PageTable { get; init; }

    public long PageBytes { get; init; }

    public int Rows { get; init; }

    public int SequenceCount { get; init; }
}

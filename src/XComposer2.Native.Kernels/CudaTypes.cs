using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Element types as kernels name them.</summary>
public static class CudaTypes
{
    /// <summary>The type's name in <c>common/types.cuh</c>, which has the floating types.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is not a floating type.</exception>
    public static string CudaName(this DType type) => type switch
    {
        DType.F32 => "f32",
        DType.F16 => "f16",
        DType.BF16 => "bf16",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "expected a floating type"),
    };
}

using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>
/// Sums of 32 products in F16, which are added in F32. Tensor cores of consumer cards form them at twice the rate of sums in F32. A sum of 32 loses at most 2^-10 of its
/// greatest partial sum, as much as two roundings of an F16 activation; one of 65520 or more is infinite.
/// </summary>
public static class HalfSums
{
    /// <summary>Products of one.</summary>
    public const int Products = 32;

    /// <summary>Whether a generation gains by them: consumer cards from Ampere on. The tensor cores of others have one rate for both.</summary>
    public static bool Has(ComputeCapability capability) => capability is { Major: 8, Minor: > 0 and not 7 } or { Major: >= 12 };

    /// <summary>Whether kernels of many rows have a form with them: F16 storage, and weights that are no integers.</summary>
    internal static bool Has(LinearForm form) => form is { HasHalfSums: true, Storage: DType.F16, Weights.IsFloat: true };
}

using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Relative L2 that a stage may be off by at most, by the arithmetic of the device. The golden files were made with fp32 arithmetic on the stored weights.</summary>
internal static class VerificationTolerance
{
    /// <summary>The processor computes as the golden files were made: 16-bit weights widen exactly, so one tolerance serves every weight type. Two
    /// orders of summation of a few thousand fp32 products differ by about 1e-6; the stages of a model add up to some 1e-5 at worst.</summary>
    private const double Processor = 1e-4;

    /// <summary>A GPU with fp32 storage takes reciprocals and exponentials that are good to a few 1e-7 each, and sums in trees of its own.</summary>
    private const double FloatStorage = 1e-3;

    /// <summary>Activations and weights of 8 bits of fraction (bfloat16) are off by 2e-3 each; some dozen roundings a layer add up like their root.</summary>
    private const double HalfStorage = 2e-2;

    /// <summary>The largest of some thousand normal weights is 3 to 4 times their deviation, so a step is 0.03 of it and an error, uniform within half a step,
    /// 0.8 % of a linear's result. Four linears of a layer add up like their root to 2 %, and the residual stream adds layers' errors as it adds layers.
    /// A wrong scale, row or column is off by about 1.</summary>
    private const double Int8 = 5e-2;

    /// <summary>Of the decoder's stages.</summary>
    public static double For(IBackend backend, WeightQuantization quantization) => quantization == WeightQuantization.Int8 ? Math.Max(Int8, For(backend)) : For(backend);

    /// <summary>Of stages whose weights are as stored.</summary>
    public static double For(IBackend backend) => backend is CpuBackend ? Processor : backend.CacheType == DType.F32 ? FloatStorage : HalfStorage;
}

using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>x / sqrt(mean(x²) + eps) * gain, per row. The input is F32.</summary>
/// <param name="Storage">Type of gain.</param>
/// <param name="Output">Type of the result.</param>
/// <param name="Columns">Columns, a multiple of 4.</param>
public sealed record RmsNorm(KernelStorage Storage, KernelStorage Output, int Columns) : RowKernel(Columns)
{
    public override string Source => "normalization/rms_norm.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<RmsNormArguments>();

    protected override IEnumerable<(string Name, string Value)> Definitions => [.. base.Definitions, ("STORAGE", Storage.CudaName()), ("OUTPUT", Output.CudaName())];

    public KernelCost Cost(int rows) => new(((long)rows * Columns * (sizeof(float) + Output.ElementBytes())) + (Columns * Storage.ElementBytes()), 4L * rows * Columns);
}

using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>(x - mean) / sqrt(variance + eps) * gain + bias, per row. The input is F32.</summary>
/// <param name="Storage">Type of gain and bias.</param>
/// <param name="Output">Type of the result.</param>
/// <param name="Columns">Columns, a multiple of 4.</param>
public sealed record LayerNorm(KernelStorage Storage, KernelStorage Output, int Columns) : RowKernel(Columns)
{
    public override string Source => "normalization/layer_norm.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<LayerNormArguments>();

    protected override IEnumerable<(string Name, string Value)> Definitions => [.. base.Definitions, ("STORAGE", Storage.CudaName()), ("OUTPUT", Output.CudaName())];

    public KernelCost Cost(int rows) => new(((long)rows * Columns * (sizeof(float) + Output.ElementBytes())) + (2L * Columns * Storage.ElementBytes()), 7L * rows * Columns);
}

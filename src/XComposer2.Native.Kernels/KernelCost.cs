namespace XComposer2.Native.Kernels;

/// <summary>What a launch must do at least: each byte moved once, each product counted as two operations.</summary>
/// <param name="Bytes">Read and written in device memory.</param>
/// <param name="Flops">Floating-point operations.</param>
public readonly record struct KernelCost(long Bytes, long Flops)
{
    public static KernelCost operator +(KernelCost left, KernelCost right) => left.Add(right);

    public KernelCost Add(KernelCost other) => new(Bytes + other.Bytes, Flops + other.Flops);
}

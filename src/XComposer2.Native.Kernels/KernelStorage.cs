namespace XComposer2.Native.Kernels;

/// <summary>Floating type of stored numbers, as <c>common/types.cuh</c> names it.</summary>
public enum KernelStorage : byte
{
    F32,
    F16,
    BF16,
}

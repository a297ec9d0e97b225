using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Floating type of stored numbers, as <c>common/types.cuh</c> names it.</summary>
public enum KernelStorage : byte
{
    F32,
    F16,
    BF16,
}

public static class KernelStorageExtensions
{
    /// <summary>The type's name in <c>common/types.cuh</c>.</summary>
    public static string CudaName(this KernelStorage storage) => storage switch
    {
        KernelStorage.F32 => "f32",
        KernelStorage.F16 => "f16",
        KernelStorage.BF16 => "bf16",
        _ => throw new ArgumentOutOfRangeException(nameof(storage), storage, "not a KernelStorage"),
    };

    public static int ElementBytes(this KernelStorage storage) => storage == KernelStorage.F32 ? sizeof(float) : sizeof(ushort);

    public static DType ToDType(this KernelStorage storage) => storage switch
    {
        KernelStorage.F32 => DType.F32,
        KernelStorage.F16 => DType.F16,
        KernelStorage.BF16 => DType.BF16,
        _ => throw new ArgumentOutOfRangeException(nameof(storage), storage, "not a KernelStorage"),
    };
}

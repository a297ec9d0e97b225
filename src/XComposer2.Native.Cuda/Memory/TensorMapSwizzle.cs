namespace XComposer2.Native.Cuda;

/// <summary><c>CUtensorMapSwizzle</c>.</summary>
public enum TensorMapSwizzle
{
    None = 0,
    Bytes32 = 1,
    Bytes64 = 2,
    Bytes128 = 3,
}

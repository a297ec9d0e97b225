namespace XComposer2.Native.Cuda;

/// <summary><c>CUtensorMapInterleave</c>.</summary>
public enum TensorMapInterleave
{
    None = 0,
    Bytes16 = 1,
    Bytes32 = 2,
}
